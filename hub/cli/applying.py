"""Taking rules over from files: what `hub rules apply` does, and `hub serve` at every start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from consumers.ability import beyond
from consumers.destinations import DESTINATIONS
from hub.automation.checks import check, segments_asked
from hub.automation.enclosures import Find, enclosed, first_mail, first_offer
from hub.automation.files import LARGEST, Loaded, read
from hub.automation.plan import MODE, Change, Standing, as_it_stands, changed, plan
from hub.automation.problems import Problem
from hub.automation.sentences import sentence
from hub.errors import Misconfigured
from hub.settings import Settings
from hub.storage import rules
from hub.storage.pool import Pool, transaction
from hub.verbs import House
from schemas.actions import ACTIONS
from schemas.rules import Rule, Segment

NO_LINK = "these mails bear no link to unsubscribe: hub.toml has no [mail] unsubscribe"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be taken over, and how. `partly`: what is right although other files are wrong; `mail`: whether the
    hub has a relay for mails of its own.
    """

    files: Sequence[Loaded]
    house: House
    by: str
    prune: bool = False
    partly: bool = False
    dry_run: bool = False
    mail: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of it: the changes (of a dry run: what they would be), and everything that is wrong, by file."""

    changes: tuple[Change, ...]
    problems: tuple[Problem, ...]

    @property
    def is_wrong(self) -> bool:
        """Whether a file was refused."""
        return any(one.grade == "error" for one in self.problems)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files meant: those named, and every .yaml of a folder, in the order of their names; each once."""
    found = [file for path in paths for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]
    return list(dict.fromkeys(file for file in found if file.exists()))


def loaded(file: Path) -> Loaded:
    """A file, read. Raises Misconfigured where it cannot be opened."""
    return read(str(file), _content(file))


def _content(file: Path) -> bytes:
    """As much of a file as may be in one, and a byte more."""
    try:
        with file.open("rb") as content:
            return content.read(LARGEST + 1)
    except OSError as error:
        raise Misconfigured(f"{file}: {error.strerror}") from error


def house_of(settings: Settings) -> House:
    """What of hub.toml rules may name. A destination of a kind that is not known is none."""
    teams = {name: team.addresses for name, team in settings.teams.items()}
    kinds = {name: one.kind for name, one in settings.destinations.items() if one.kind in DESTINATIONS.names}
    return House(teams, {name: DESTINATIONS[kind].hears for name, kind in kinds.items()})


def wrong_as_it_stands(settings: Settings) -> list[Problem]:
    """What is wrong with the folder of `[rules]` as hub.toml stands, and what looks so; asks no database.

    Raises Misconfigured where a file cannot be opened.
    """
    files = [loaded(file) for file in files_of([settings.rules.folder])]
    whole, problems = fitting(files, house_of(settings), mail=bool(settings.mail.relay))
    for one in whole if settings.mail.relay and settings.mail.unsubscribe is None else ():
        if place := first_offer(one):
            problems.append(one.where.problem(place, NO_LINK, "warning"))
    return problems


async def apply(pool: Pool, wish: Wish) -> Applied:
    """Take over what is right. Where a file is wrong nothing is, unless `partly`. Raises Retry."""
    files, problems = fitting(wish.files, wish.house, mail=wish.mail)
    wrong = {one.file for one in problems if one.grade == "error"}
    right = [one for one in files if one.value is not None and one.where.file not in wrong]
    async with transaction(pool) as connection:
        await rules.alone(connection)
        known = await rules.standing(connection)
        right, unknown = _with_segments(right, known)
        problems += unknown
        # A file that is wrong is there all the same: its rule is not gone.
        there = {Path(one.where.file).stem for one in wish.files} - {one.value.name for one in right if one.value}
        found = plan([one.value for one in right if one.value], known, prune=wish.prune)
        found = replace(found, changes=tuple(one for one in found.changes if one.name not in there))
        problems += [
            one.where.problem(("version",), found.refused[one.value.name])
            for one in right
            if one.value and one.value.name in found.refused
        ]
        problems += [
            one.where.problem((MODE,), found.hints[one.value.name], "warning")
            for one in right
            if one.value and one.value.name in found.hints
        ]
        applied = Applied(found.changes, tuple(problems))
        if applied.is_wrong and not wish.partly:
            return Applied((), applied.problems)
        if changes := () if wish.dry_run else changed(found):
            told = [_told(one.value) for one in changes]
            await rules.write(connection, changes, told, wish.by)
    return applied


def fitting(files: Sequence[Loaded], house: House, *, mail: bool) -> tuple[list[Loaded], list[Problem]]:
    """The files with their templates in them, and everything that is wrong with either, or that this hub cannot do.

    `mail`: whether it has a relay. Raises Misconfigured.
    """
    whole, problems = examined(files)
    wrong = {one.file for one in problems if one.grade == "error"}
    for one in whole:
        if one.where.file not in wrong:
            problems += beyond(one, house)
        if not mail and (place := first_mail(one)):
            problems.append(one.where.problem(place, "hub.toml has no relay for mails: [mail]"))
    return whole, problems


def _with_segments(files: Sequence[Loaded], known: Mapping[str, Standing]) -> tuple[list[Loaded], list[Problem]]:
    """The files whose segments all count, or begin to with these files; and what is wrong with the others."""
    right, problems = list(files), list[Problem]()
    while True:
        count = {name for name, one in known.items() if one.kind == "segment" and one.live}
        count |= {one.value.name for one in right if isinstance(one.value, Segment)}
        wrong = {
            id(one): [one.where.problem(place, f"the segment {name} is not taken over: take its file over as well")
                      for place, name in segments_asked(one.value) if name not in count]
            for one in right if one.value
        }  # fmt: skip
        if not any(wrong.values()):
            return right, problems
        problems += [problem for found in wrong.values() for problem in found]
        right = [one for one in right if not wrong[id(one)]]


def _told(value: Rule | Segment | None) -> str:
    """The sentence that is kept; whether it stands on trial is told beside it."""
    kept = as_it_stands(value, on_trial=False) if isinstance(value, Rule) else value
    return sentence(kept, ACTIONS) if kept else ""


def examined(files: Sequence[Loaded]) -> tuple[list[Loaded], list[Problem]]:
    """The files with their templates in them, and everything that is wrong with either. Raises Misconfigured."""
    problems, whole = check(files, ACTIONS, beside(files)), []
    for one in files:
        filled, wrong = enclosed(one, template_beside(one))
        whole.append(filled)
        problems += wrong
    return whole, problems


def template_beside(one: Loaded) -> Find:
    """Where the templates of a file are: templates/<name>.liquid beside it."""
    folder = Path(one.where.file).parent / "templates"

    def find(name: str) -> bytes | None:
        file = folder / f"{name}.liquid"
        return _content(file) if file.is_file() else None

    return find


def beside(files: Sequence[Loaded]) -> list[Loaded]:
    """The other files in the same folders: segments that these may name. Raises Misconfigured."""
    own = [Path(one.where.file) for one in files]
    return [
        loaded(one) for one in sorted({near for file in own for near in file.parent.glob("*.yaml")}.difference(own))
    ]
