"""The people of the simulated company: names, addresses and numbers in the spellings in which people write them.

Addresses end in names reserved for examples; numbers are those that the regulators keep free for films.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import product
from random import Random

MOST = 720
GIVEN = (
    "Anna Bernd Chiara David Elisabeth Fatima Greta Hassan Ingrid Jonas Katherine Leila Michael Nadia Oliver Petra "
    "Robert Sofia Thomas Ursula Viktor William Yusuf Zoë Aylin Björn Carmen Dieter Emma Farid"
)
FAMILIES = (
    "Weber Okafor Müller Kowalski García O'Neill Nguyen Rossi Schmidt-Lang Petersen Öztürk Dubois Silva Brown Haddad "
    "Novak Lindqvist Marino Fischer Patel Janssen Moreau Keller Tanaka"
)
NAMESAKE = "Wilhelmina"
"""What the second of a family is called where chance gave both one name."""
SHORT = {
    "David": "Dave",
    "Elisabeth": "Lisbeth",
    "Katherine": "Kate",
    "Michael": "Mike",
    "Robert": "Rob",
    "Thomas": "Tom",
    "William": "Bill",
}
DOMAINS = ("example.com", "example.org", "example.net", "post.example", "mail.example")
FIRMS = ("Northwind Workshop", "Atelier Lumen", "Harbour Bakery", "Alpine Optics")
NUMBERS = (("30", "23125"), ("69", "90009"), ("40", "66969"), ("89", "99998"), ("221", "4710"))
"""City and stem of German numbers that belong to nobody; three more digits follow."""

Phone = tuple[str, str]
"""City, and the rest."""

FAMILY, FIRM = 6, 11
"""Of twelve people the sixth and seventh share a mailbox, and the eleventh writes from the mailbox of a firm."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who comes back. `phones` and `emails` hold the usual one first and then the one they move to."""

    number: int
    given: str
    family: str
    emails: tuple[str, str]
    phones: tuple[Phone, Phone]
    firm: str | None

    @property
    def crm(self) -> str:
        """What the sales tool calls them."""
        return f"C-{1000 + self.number}"

    @property
    def shop(self) -> str:
        """What the shop calls them."""
        return f"{700_000 + self.number * 7}"

    @property
    def desk(self) -> str:
        """What the support desk calls them."""
        return f"{5_000_000 + self.number * 3}"

    def name(self, spelling: int) -> str:
        """The whole name, as one writes it."""
        usual = f"{self.given} {self.family}"
        short = f"{SHORT.get(self.given, self.given)} {self.family}"
        return (usual, short, f"{self.family}, {self.given}", usual.upper(), usual)[spelling % 5]

    def email(self, spelling: int, *, moved: bool = False) -> str:
        """The address, as one writes it."""
        usual = self.emails[moved]
        return (usual, usual.title(), usual, f" {usual.upper()} ", usual)[spelling % 5]

    def phone(self, spelling: int, *, moved: bool = False) -> str:
        """The number, as one writes it; the source's country is Germany."""
        city, rest = self.phones[moved]
        ways = (
            f"+49 {city} {rest}",
            f"0{city}/{rest[:-3]}-{rest[-3:]}",
            f"0049{city}{rest}",
            f"+49 (0){city} {rest[:-3]} {rest[-3:]}",
            f"0{city} {rest}",
        )
        return ways[spelling % 5]


def people(seed: int, count: int) -> list[Person]:
    """So many people, a function of the seed; at the most MOST of them. More of them keep the first as they are."""
    chance = Random(f"people {seed}")
    names = list(product(GIVEN.split(), FAMILIES.split()))
    chance.shuffle(names)
    phones = list(product(NUMBERS, range(1000)))
    chance.shuffle(phones)
    found: list[Person] = []
    for number in range(min(count, MOST)):
        usual, later = ((city, f"{stem}{last:03}") for (city, stem), last in phones[2 * number : 2 * number + 2])
        found.append(_person(number, names[number], (usual, later), found))
    return found


def _person(number: int, name: tuple[str, str], phones: tuple[Phone, Phone], others: list[Person]) -> Person:
    given, family = name
    place = number % 12
    own = f"{_plain(given)}.{_plain(family)}@{DOMAINS[number % 5]}"
    later = f"{_plain(given)[0]}.{_plain(family)}{number}@{DOMAINS[(number + 1) % 5]}"
    firm = FIRMS[number // 12 % len(FIRMS)] if place in {FIRM, 3} else None
    if place == FAMILY:
        own = f"{_plain(family)}.family{number}@{DOMAINS[number % 5]}"
    if place == FAMILY + 1:
        family, own = others[-1].family, others[-1].emails[0]
        given = given if given != others[-1].given else NAMESAKE
    if place == FIRM and firm:
        own = f"info@{_plain(firm)}.example"
    return Person(number, given, family, (own, later), phones, firm)


def _plain(name: str) -> str:
    """Letters and digits alone, without accents."""
    text = unicodedata.normalize("NFD", name.lower())
    return "".join(sign for sign in text if sign.isascii() and sign.isalnum())
