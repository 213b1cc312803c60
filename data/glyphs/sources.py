"""What the glyphs are made of: the font packages, with their licences, and the letters of each script."""

import hashlib
import pathlib
import re
import subprocess
import unicodedata

# Debian packages by the licence of their fonts (its file /usr/share/doc/PACKAGE/copyright).
LICENCES = {
    "OFL-1.1": (
        "fonts-ddc-uchen fonts-gfs-artemisia fonts-gfs-didot fonts-gfs-neohellenic fonts-gfs-porson "
        "fonts-hosny-amiri fonts-junicode fonts-lohit-beng-bengali fonts-lohit-deva fonts-lohit-gujr "
        "fonts-lohit-guru fonts-lohit-knda fonts-lohit-mlym fonts-lohit-orya fonts-lohit-taml fonts-lohit-telu "
        "fonts-navilu fonts-noto-core fonts-noto-extra fonts-senamirmir-washra fonts-sil-abyssinica "
        "fonts-sil-akatab fonts-sil-annapurna fonts-sil-charis fonts-sil-dai-banna fonts-sil-ezra "
        "fonts-sil-gentiumplus fonts-sil-mondulkiri fonts-sil-padauk fonts-sil-scheherazade fonts-sil-shimenkan "
        "fonts-sil-sophia-nubian fonts-sil-tagmukay fonts-sil-taiheritagepro fonts-smc-chilanka fonts-smc-manjari "
        "fonts-smc-uroob"
    ),
    "OFL-1.1, BSD-3-Clause or GPL-2+": "fonts-georgewilliams",
    "OFL-1.1 or GPL-2+ with font exception": "fonts-linuxlibertine",
    "GPL-3+ with font exception": (
        "fonts-freefont-ttf fonts-lg-aboriginal fonts-samyak-gujr fonts-samyak-mlym fonts-samyak-orya"
    ),
    "GPL-3+ with font exception or OFL-1.1": "fonts-smc-meera fonts-smc-rachana",
    "GPL-2+ with font exception": (
        "fonts-gubbi fonts-tlwg-kinnari-ttf fonts-tlwg-loma-ttf fonts-tlwg-norasi-ttf fonts-tlwg-purisa-ttf "
        "fonts-tlwg-sawasdee-ttf fonts-tlwg-typewriter-ttf fonts-tlwg-umpush-ttf"
    ),
    "GPL-2 with font exception": "culmus",
    "GPL-2+": "fonts-gujr-extra fonts-guru-extra fonts-telu-extra",
    "GPL-2 and Bitstream Vera": "fonts-bpg-georgian",
    "GPL-2": "fonts-lklug-sinhala",
    "GPL-1+": "fonts-tibetan-machine",
    "GPL-3+": "fonts-sambhota-yigchung",
    "GPL-2+ and GPL-3+": "fonts-orya-extra",
    "LGPL-2.1+": "fonts-khmeros fonts-lao",
    "Bitstream Vera, changes public domain": "fonts-dejavu-core fonts-dejavu-extra",
    "Free for any use": "fonts-ancient-scripts",
    "Public domain": "fonts-aoyagi-kouzan-t fonts-mph-2b-damase",
    "Apache-2.0": "fonts-motoya-l-cedar fonts-motoya-l-maruberi",
    "CC-BY-3.0": "fonts-sawarabi-gothic",
    "CC-BY-SA-3.0 or OFL-1.1": "fonts-sawarabi-mincho",
    "M+ and BSD-3-Clause": "fonts-vlgothic",
}
PACKAGES = {package: licence for licence, names in LICENCES.items() for package in names.split()}

# The letters asked of each script: one case, no letter of another script's block. Latin, Greek and Cyrillic come first:
# of two lookalikes the later one is dropped, and a reader misses a Latin letter more than an Old Italic one.
SCRIPTS = {
    "Latin": range(0x61, 0x7B),
    "Greek": range(0x3B1, 0x3CA),
    "Cyrillic": range(0x430, 0x460),
    "Adlam": range(0x1E922, 0x1E944),
    "Arabic": range(0x621, 0x64B),
    "Armenian": range(0x561, 0x587),
    "Balinese": range(0x1B05, 0x1B34),
    "Bengali": range(0x985, 0x9BA),
    "Buginese": range(0x1A00, 0x1A17),
    "Canadian Aboriginal": [ord(c) for c in "ᐁᐃᐅᐊᐯᐱᐳᐸᑌᑎᑐᑕᑫᑭᑯᑲᒉᒋᒍᒐᒣᒥᒧᒪᓀᓂᓄᓇᓓᓕᓗᓚᓭᓯᓱᓴᔐᔑᔓᔕᔦᔨᔪᔭ"],  # no dots
    "Cham": range(0xAA00, 0xAA29),
    "Cherokee": range(0x13A0, 0x13F5),
    "Coptic": range(0x2C81, 0x2CB3, 2),  # capitals stand between the small letters
    "Cypriot": range(0x10800, 0x10836),
    "Deseret": range(0x10428, 0x10450),
    "Devanagari": range(0x904, 0x93A),
    "Ethiopic": range(0x1200, 0x1358, 8),  # one syllable of each consonant
    "Georgian": range(0x10D0, 0x10F1),
    "Glagolitic": range(0x2C30, 0x2C5F),
    "Gothic": range(0x10330, 0x1034A),
    "Gujarati": range(0xA85, 0xABA),
    "Gurmukhi": range(0xA05, 0xA3A),
    "Hanifi Rohingya": range(0x10D00, 0x10D1F),
    "Hanunoo": range(0x1720, 0x1732),
    "Hebrew": range(0x5D0, 0x5EB),
    "Hiragana": range(0x3042, 0x3094),
    "Kannada": range(0xC85, 0xCBA),
    "Katakana": range(0x30A2, 0x30F4),
    "Kayah Li": range(0xA90A, 0xA926),
    "Khmer": range(0x1780, 0x17A3),
    "Khojki": range(0x11200, 0x1122C),
    "Lao": range(0xE81, 0xEAF),
    "Linear B": range(0x10000, 0x1004E),
    "Lisu": range(0xA4D0, 0xA4F8),
    "Malayalam": range(0xD05, 0xD3A),
    "Medefaidrin": range(0x16E60, 0x16E80),
    "Meetei Mayek": range(0xABC0, 0xABDB),
    "Miao": range(0x16F00, 0x16F45),
    "Myanmar": range(0x1000, 0x102B),
    "New Tai Lue": range(0x1980, 0x19AC),
    "NKo": range(0x7CA, 0x7EB),
    "Nyiakeng Puachue Hmong": range(0x1E100, 0x1E12D),
    "Ol Chiki": range(0x1C5A, 0x1C78),
    "Old Italic": range(0x10300, 0x1031F),
    "Oriya": range(0xB05, 0xB3A),
    "Osmanya": range(0x10480, 0x1049E),
    "Phoenician": range(0x10900, 0x10916),
    "Runic": range(0x16A0, 0x16EB),
    "Sinhala": range(0xD85, 0xDC7),
    "Sora Sompeng": range(0x110D0, 0x110E9),
    "Sundanese": range(0x1B8A, 0x1BA1),
    "Tai Le": range(0x1950, 0x1975),
    "Tai Tham": range(0x1A20, 0x1A4D),
    "Tai Viet": range(0xAA80, 0xAAB0),
    "Tamil": range(0xB85, 0xBBA),
    "Telugu": range(0xC05, 0xC3A),
    "Thaana": range(0x780, 0x7A6),
    "Thai": range(0xE01, 0xE2F),
    "Tibetan": range(0xF40, 0xF6B),
    "Tifinagh": range(0x2D30, 0x2D68),
    "Yezidi": range(0x10E80, 0x10EAA),
}

SKIPPED = re.compile(
    r"Thin|ExtraLight|Black|Condensed(Light|Medium|SemiBold|ExtraBold)|(Semi|Extra)Condensed"
    r"|Oblique|Slanted|Display|UI-|^(goffer|tint)"
)
IN_BETWEEN = re.compile(r"Light|Medium|SemiBold|ExtraBold|Book")


def letters(script: str) -> list[int]:
    """The code points of a script that are letters and decompose into nothing simpler."""
    simple = (c for c in SCRIPTS[script] if unicodedata.normalize("NFKD", chr(c)) == chr(c))
    return [c for c in simple if unicodedata.category(chr(c)) in ("Lo", "Ll", "Lu")]


def package_versions() -> dict[str, str]:
    """The installed version of each package. CalledProcessError where one is missing."""
    asked = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}\n", *PACKAGES]
    lines = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    return dict(line.split() for line in lines)


def font_files() -> list[tuple[str, pathlib.Path]]:
    """(package, file) of every font worth trying, plain weights first, each file once.

    Weights next to a kept one, slanted copies, interface cuts and two ornamented fonts are left out.
    """
    found = {}
    for package in PACKAGES:
        listing = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, check=True).stdout
        for path in map(pathlib.Path, listing.splitlines()):
            if path.suffix.lower() in (".ttf", ".otf") and path.is_file() and not SKIPPED.search(path.name):
                found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), (package, path))
    return sorted(found.values(), key=lambda f: (bool(IN_BETWEEN.search(f[1].name)), f[1].name))
