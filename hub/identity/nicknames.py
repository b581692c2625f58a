"""Short forms of given names: a closed list, kept in folded form. A name that is nobody's short form is not here."""

from __future__ import annotations

_SHORT_FORMS = """
abigail: abby gail | abraham: abe | albert: al bert | alexander: alex sandy sascha xander | alexandra: sandra alex sandy
alfred: alf fred | alice: ally | amanda: mandy | andrew: andy drew | andreas: andi | angela: angie | anneliese: annelie
anthony: tony | antonio: toni tony | barbara: barb barbie babs | benjamin: ben benny | bernard: bernie | bernhard: bernd
catherine: cathy cate kate | katherine: kathy kate katie kat | charles: charlie chuck chas | charlotte: lottie
christine: chrissy tina chris | christopher: chris kit topher | christian: chrissi chris | cynthia: cindy | daniel: dan danny
david: dave davey | deborah: deb debbie | donald: don donnie | dorothy: dot dottie dolly | edward: ed eddie ned ted
eduard: edi | eleanor: ellie nell nora | elizabeth: liz lizzie beth betty betsy eliza bess | elisabeth: lisbeth elsbeth lisl
emily: emmy | ernst: erni | eugene: gene | florence: flo | frances: fran francie | francis: frank | franziska: franzi
friedrich: fritz | gabriel: gabe | gabriele: gabi | george: georgie | georg: schorsch | gerald: gerry | gerhard: gerd
gregory: greg | gustav: gus | hannah: hanna | harold: hal harry | helen: nellie | helmut: helmi | henry: hank
heinrich: heinz heiner | ignacio: nacho | isabella: izzy bella | jacob: jake | james: jim jimmy jamie | janet: jan
jennifer: jen jenny jenn | jeremy: jerry | jessica: jess jessie | johannes: hannes hans | john: jack johnny jon
jonathan: jonny | joseph: joe joey | josef: sepp | jose: pepe | joshua: josh | judith: judy | karoline: karo
kenneth: ken kenny | kimberly: kim | lawrence: larry | leonard: len lenny leo | leonhard: leon | lillian: lily
louis: lou louie | lucille: lucy | margaret: maggie meg peggy marge margie greta | margarete: grete gretel | maria: mia mitzi
martha: marty | martin: mart | matthew: matt matty | matthias: matze hias | maximilian: max maxi | melissa: missy
michael: mike mick mickey mikey | michelle: shelly | mildred: millie | nancy: nan | natalie: nat | nathaniel: nate
nicholas: nick nicky | nikolaus: klaus niklas | norbert: nobby | oliver: ollie | olivia: liv livvy | pamela: pam
patricia: pat patty tricia trish | patrick: pat paddy | paul: pauly | peter: pete | philip: phil pip | rafael: rafa
raymond: ray | rebecca: becky becca | richard: rich rick ricky dick | robert: rob robbie bob bobby | roberto: beto
ronald: ron ronnie | rudolf: rudi | russell: russ | samantha: sam | samuel: sammy | sarah: sally sadie | sebastian: seb basti
sharon: shari | sofia: sofie | stanley: stan | stefan: steff | stephanie: steph steffi | stephen: steve stevie
steven: stevo | susan: sue susie suzie | susanne: susi sanne | tamara: tammy | theodore: theo teddy | theresa: terry tess
thomas: tom tommy | timothy: tim timmy | ulrich: uli | ursula: uschi | valentin: valli | vanessa: nessa | veronica: ronnie
victoria: vicky tori | vincent: vince vinny | virginia: ginny | walter: walt wally | wilhelm: willi | william: bill billy will willie liam
wolfgang: wolfi | zachary: zach zack
"""


def _read(table: str) -> dict[str, tuple[str, ...]]:
    """Short form → the formal names that it stands for."""
    formal: dict[str, tuple[str, ...]] = {}
    for entry in table.replace("\n", "|").split("|"):
        name, _, short = entry.partition(":")
        for form in short.split():
            formal[form] = (*formal.get(form, ()), name.strip())
    return formal


FORMALS = _read(_SHORT_FORMS)
"""Short form → every formal name that it stands for: sam is samantha's and samuel's."""
FORMAL = {short: names[0] for short, names in FORMALS.items()}
"""Short form → one formal name, for codes."""
