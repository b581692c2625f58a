"""Given and family names of eight languages, the frequent ones first; how people shorten them, and mistype them.

The lists are of our own making. Few names carry many people, as in life, and somewhat more so than in life: two people
of one language and sex share a given name about once in fifty pairs, so that namesakes meet often enough to matter.
"""

from __future__ import annotations

import random
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

_FLATNESS = 25
_SHORTEST_FOR_A_SLIP = 4


class Listed:
    """Words by frequency: the n-th is drawn in proportion to 1 / (n + 25)."""

    def __init__(self, words: str) -> None:
        self.words = tuple(words.split())

    @cached_property
    def _weights(self) -> list[float]:
        return list(accumulate(1 / (rank + _FLATNESS) for rank in range(len(self.words))))

    def draw(self, chance: random.Random) -> str:
        """One of them."""
        return chance.choices(self.words, cum_weights=self._weights)[0]


class Language(NamedTuple):
    """Names that go together, the mobile numbers of their country (prefix, digits behind it), its share of people."""

    women: Listed
    men: Listed
    families: Listed
    mobile: tuple[str, int]
    share: int


GERMAN = Language(
    Listed(
        "Anna Maria Sabine Petra Monika Susanne Claudia Andrea Birgit Martina Ursula Karin Julia Katharina Stefanie "
        "Sandra Nicole Christine Heike Gabriele Renate Angelika Barbara Ute Silke Anja Tanja Melanie Lena Laura Sarah "
        "Lisa Hannah Johanna Franziska Elisabeth Ingrid Helga Brigitte Cornelia Kerstin Anke Vanessa Jana Nina Sophie "
        "Marie Emma Mia Lea Clara Charlotte Greta Frieda Ida Mathilda Theresa Veronika Regina Gisela Doris Marion "
        "Bettina Simone Yvonne Carola Dagmar Elke Gudrun Heidi Ilse Jutta Kathrin Lieselotte Margarete Nadine Antje "
        "Hanna-Lena Anna-Lena"
    ),
    Listed(
        "Michael Thomas Andreas Peter Stefan Christian Wolfgang Klaus Martin Frank Markus Jürgen Bernd Uwe Matthias "
        "Daniel Alexander Sebastian Tobias Florian Jan Dirk Ralf Holger Sven Jörg Torsten Oliver Philipp Maximilian "
        "Lukas Jonas Leon Finn Paul Felix Niklas Tim David Simon Fabian Dominik Marcel Patrick Dennis Kevin Robert "
        "Rainer Dieter Horst Günter Helmut Manfred Werner Heinz Gerhard Karl Hans Walter Heinrich Friedrich Georg "
        "Johannes Josef Franz Anton Ludwig Otto Emil Moritz Julian Benjamin Nico Erik Björn Carsten Detlef Eckhard "
        "Falk Hans-Peter Karl-Heinz"
    ),
    Listed(
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein "
        "Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Krause Meier "
        "Lehmann Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn "
        "Schubert Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht "
        "Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel "
        "Heinrich Brandt Haas Schreiber Graf Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch Bergmann Thomas Voigt "
        "Sauer Arnold Wolff Pfeiffer Ernst Lindner Hübner Kaufmann Franz Riedel Hirsch Petersen Nowak Eckert Barth "
        "Reuter Paul Ritter Sander Thiel Adam Bachmann"
    ),
    ("+49151", 8),
    42,
)
ENGLISH = Language(
    Listed(
        "Mary Susan Margaret Sarah Elizabeth Emma Laura Jessica Jennifer Patricia Linda Karen Helen Amanda Rebecca "
        "Rachel Charlotte Hannah Lucy Olivia Amelia Emily Sophie Grace Chloe Ella Victoria Catherine Katherine Deborah "
        "Sharon Nicola Alison Jane Anne Ann Julie Michelle Samantha Stephanie Kimberly Christine Janet Barbara Dorothy "
        "Eleanor Florence Abigail Isabella Megan Holly Zoe Alice Rosie Joanna Natalie Fiona Heather Judith Pamela"
    ),
    Listed(
        "James John David Robert William Michael Richard Thomas Daniel Matthew Christopher Andrew Paul Mark Steven "
        "Stephen Joseph Edward Charles Anthony George Peter Jonathan Benjamin Samuel Alexander Nicholas Timothy "
        "Kenneth Ronald Brian Kevin Gary Ian Alan Simon Philip Patrick Jack Harry Oliver Noah Jacob Luke Adam Ryan "
        "Nathan Aaron Sean Craig Scott Gregory Raymond Lawrence Leonard Gerald Douglas Stuart Graham Neil"
    ),
    Listed(
        "Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Roberts Johnson Lewis Walker Robinson Wood "
        "Thompson White Watson Jackson Wright Green Harris Cooper King Lee Martin Clarke James Morgan Hughes Edwards "
        "Hill Moore Clark Harrison Scott Young Morris Hall Ward Turner Carter Phillips Mitchell Patel Adams Campbell "
        "Anderson Allen Cook Bailey Parker Miller Davis Murphy Price Bell Baker Griffiths Kelly Simpson Marshall "
        "Collins Bennett Cox Richardson Fox Gray Rose Chapman Hunt Robertson Shaw Reynolds Lloyd Ellis Richards "
        "Russell Wilkinson Khan Graham Stewart"
    ),
    ("+447911", 6),
    16,
)
POLISH = Language(
    Listed(
        "Anna Maria Katarzyna Małgorzata Agnieszka Barbara Krystyna Ewa Elżbieta Zofia Teresa Magdalena Joanna Janina "
        "Monika Danuta Jadwiga Aleksandra Halina Irena Beata Marta Dorota Helena Karolina Jolanta Natalia Iwona Julia "
        "Zuzanna Hanna Paulina Patrycja Weronika Kinga Alicja"
    ),
    Listed(
        "Piotr Krzysztof Andrzej Tomasz Jan Paweł Michał Marcin Stanisław Jakub Adam Marek Łukasz Grzegorz Mateusz "
        "Wojciech Mariusz Dariusz Zbigniew Jerzy Maciej Rafał Robert Kamil Józef Dawid Szymon Jacek Ryszard Tadeusz "
        "Bartosz Filip Artur Antoni Sebastian Damian"
    ),
    Listed(
        "Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski "
        "Kozłowski Jankowski Mazur Wojciechowski Kwiatkowski Krawczyk Kaczmarek Piotrowski Grabowski Zając Pawłowski "
        "Michalski Król Wieczorek Jabłoński Wróbel Nowakowski Majewski Olszewski Stępień Malinowski Jaworski Adamczyk "
        "Dudek Nowicki Pawlak Górski Witkowski Walczak Sikora Baran Rutkowski Michalak Szewczyk Ostrowski Tomaszewski "
        "Pietrzak Zalewski"
    ),
    ("+48501", 6),
    8,
)
TURKISH = Language(
    Listed(
        "Fatma Ayşe Emine Hatice Zeynep Elif Meryem Şerife Sultan Hanife Merve Zehra Esra Özlem Yasemin Hülya Büşra "
        "Melek Kübra Sevgi Leyla Dilek Gülşen Filiz Songül Ebru Tuğba Sibel Derya Ece Defne Azra Selin"
    ),
    Listed(
        "Mehmet Mustafa Ahmet Ali Hüseyin Hasan İbrahim Murat Ömer Yusuf İsmail Osman Ramazan Halil Süleyman Emre "
        "Fatih Kemal Serkan Burak Hakan Yılmaz Orhan Cem Can Deniz Onur Tolga Volkan Eren Kaan Mert Arda"
    ),
    Listed(
        "Yılmaz Kaya Demir Çelik Şahin Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara Koç "
        "Kurt Özkan Şimşek Polat Korkmaz Özcan Çakır Erdoğan Yavuz Can Acar Şen Aktaş Güler Yalçın Güneş Bozkurt Bulut "
        "Keskin Ünal Turan Gül Özer Işık Kaplan Avcı Sarı Tekin Taş Köse Yüksel Ateş Aksoy"
    ),
    ("+90532", 7),
    8,
)
FRENCH = Language(
    Listed(
        "Marie Nathalie Isabelle Sylvie Catherine Françoise Christine Martine Valérie Sandrine Céline Stéphanie Sophie "
        "Véronique Julie Aurélie Camille Léa Manon Chloé Emma Jeanne Louise Alice Inès Hélène Brigitte Monique "
        "Anne-Marie Marie-Claude Charlotte Pauline Mathilde Lucie Élodie Juliette"
    ),
    Listed(
        "Jean Pierre Michel Philippe Alain Nicolas Christophe Patrick Daniel Laurent Frédéric Julien Thierry Sébastien "
        "Stéphane Thomas Éric François Olivier David Pascal Antoine Alexandre Maxime Hugo Lucas Louis Gabriel Jules "
        "Arthur Jean-Pierre Jean-Luc Jean-Paul Guillaume Mathieu Benoît"
    ),
    Listed(
        "Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre Leroy Roux "
        "David Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent Muller Lefèvre Faure "
        "André Mercier Blanc Guérin Boyer Garnier Chevalier François Legrand Gauthier Garcia Perrin Robin Clément "
        "Morin Nicolas Henry"
    ),
    ("+336", 8),
    7,
)
SPANISH = Language(
    Listed(
        "María Carmen Ana Isabel Laura Cristina Marta Lucía Dolores Pilar Elena Raquel Paula Sara Rosa Mercedes Julia "
        "Sofía Alba Beatriz Silvia Patricia Andrea Rocío Mónica Teresa Irene Claudia Nuria Daniela Valeria Carla "
        "Alicia Inés"
    ),
    Listed(
        "Antonio José Manuel Francisco David Juan Javier Daniel Carlos Jesús Alejandro Miguel Rafael Pedro Pablo Ángel "
        "Sergio Fernando Jorge Luis Alberto Álvaro Diego Adrián Raúl Iván Enrique Rubén Ramón Vicente Andrés Óscar "
        "Roberto Joaquín Ignacio Hugo"
    ),
    Listed(
        "García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Hernández Ruiz Díaz "
        "Moreno Muñoz Álvarez Romero Gutiérrez Alonso Navarro Torres Domínguez Ramos Vázquez Ramírez Gil Serrano "
        "Molina Blanco Morales Suárez Ortega Delgado Castro Ortiz Marín Rubio Núñez Sanz Medina Iglesias Cortés "
        "Castillo Garrido Santos"
    ),
    ("+346", 8),
    7,
)
ITALIAN = Language(
    Listed(
        "Maria Anna Giuseppina Rosa Angela Giovanna Teresa Lucia Francesca Paola Laura Giulia Sara Chiara Martina "
        "Elena Silvia Valentina Alessandra Federica Elisa Sofia Aurora Alice Ginevra Emma Giorgia Beatrice Roberta "
        "Simona Daniela"
    ),
    Listed(
        "Giuseppe Antonio Giovanni Mario Luigi Francesco Angelo Vincenzo Pietro Salvatore Marco Andrea Alessandro Luca "
        "Matteo Lorenzo Davide Stefano Roberto Paolo Simone Federico Riccardo Gabriele Leonardo Mattia Nicola Claudio "
        "Massimo Fabio Maurizio Sergio"
    ),
    Listed(
        "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti Costa Giordano "
        "Mancini Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini Leone "
        "Longo Gentile Martinelli Vitale Lombardo Serra Coppola Marchetti Parisi Villa Conte Ferraro Ferri Fabbri "
        "Bianco Marini Grasso"
    ),
    ("+39347", 7),
    6,
)
NORDIC = Language(
    Listed(
        "Anna Eva Maria Karin Kristina Lena Kerstin Ingrid Emma Sara Malin Linnéa Ida Astrid Elsa Freja Maja Sigrid "
        "Solveig Kari Liv Inger Marit Hanne Mette Lone Camilla Line Nora Silje Åse Elin"
    ),
    Listed(
        "Lars Erik Anders Per Johan Karl Nils Mikael Jan Hans Peter Lennart Olof Gunnar Sven Magnus Fredrik Jens Søren "
        "Henrik Ole Morten Rasmus Kristian Oskar Axel Elias Bjørn Knut Arne Håkon Øyvind"
    ),
    Listed(
        "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Pettersson Jonsson "
        "Hansen Johansen Olsen Larsen Andersen Pedersen Nilsen Kristiansen Jensen Nielsen Christensen Rasmussen "
        "Sørensen Madsen Lindberg Lindström Berg Lund Dahl Haugen Holm Bergström Sandberg Lindqvist Møller Thomsen "
        "Poulsen Østergaard"
    ),
    ("+46701", 6),
    6,
)
LANGUAGES = (GERMAN, ENGLISH, POLISH, TURKISH, FRENCH, SPANISH, ITALIAN, NORDIC)

_SHORT = dict(
    pair.split(":")
    for pair in (
        "Michael:Micha Thomas:Tom Andreas:Andi Stefan:Steff Alexander:Alex Sebastian:Basti Tobias:Tobi Maximilian:Max "
        "Johannes:Hannes Josef:Sepp Friedrich:Fritz Matthias:Matze Elisabeth:Lisbeth Katharina:Kathi Stefanie:Steffi "
        "Susanne:Susi Gabriele:Gabi Ursula:Uschi Franziska:Franzi Margarete:Grete Robert:Bob William:Bill Richard:Dick "
        "James:Jim Elizabeth:Liz Margaret:Peggy Katherine:Kate Catherine:Cathy Jennifer:Jenny Rebecca:Becky Daniel:Dan "
        "Matthew:Matt Christopher:Chris Andrew:Andy Steven:Steve Stephen:Steve Anthony:Tony Jonathan:Jonny "
        "Benjamin:Ben Samuel:Sam Nicholas:Nick Timothy:Tim Edward:Ted Charles:Charlie Joseph:Joe David:Dave "
        "Kenneth:Ken Ronald:Ron Susan:Sue Deborah:Debbie Samantha:Sam Victoria:Vicky Barbara:Babs Patricia:Pat "
        "Abigail:Abby José:Pepe Francisco:Paco Ignacio:Nacho Antonio:Toni Małgorzata:Gosia Katarzyna:Kasia Joanna:Asia "
        "Tomasz:Tomek Giuseppe:Beppe Francesco:Franco Alessandro:Sandro"
    ).split()
)
"""Not all of these are in the hub's own table: people do not ask it."""


def short(given: str) -> str | None:
    """What friends call somebody, where there is such a name."""
    return _SHORT.get(given)


def mistyped(written: str, chance: random.Random) -> str:
    """A word with one slip of the fingers behind its first letter; a short one as it is."""
    if len(written) < _SHORTEST_FOR_A_SLIP:
        return written
    place = chance.randrange(1, len(written) - 1)
    head, one, two, tail = written[:place], written[place], written[place + 1], written[place + 2 :]
    return chance.choice((head + two + one + tail, head + two + tail, head + one + one + two + tail))
