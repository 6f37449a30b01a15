"""How a picture came about, written into its own file: XMP and EXIF in JPEG, XMP and text chunks in PNG.

Knows metadata formats and what a sketch tells; no pixels. The IPTC digital source type says that the picture was made
by a trained model. The same sketch gives the same bytes: no clock is read.

IPTC Photo Metadata Standard 2025.1; XMP specification part 1 (ISO 16684-1); Exif 2.32.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from PIL import Image, ImageCms, PngImagePlugin

from auria_bot import __version__

if TYPE_CHECKING:
    from auria_bot.domain.artwork import ArtworkInProgress

__all__ = ["SOURCE_TYPE", "exif", "icc_profile", "png_chunks", "record", "xmp"]

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's term for media made by a trained model."""

_CREATOR = "Auria, an artist who lives on a server (auria_bot)"
_NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "auria": "https://auria.example/ns/1.0/",
}


def _is_told(sign: str) -> bool:
    code = ord(sign)
    return code >= 32 and not 0xD800 <= code <= 0xDFFF and code not in {0xFFFE, 0xFFFF}


def _tidy(text: str) -> str:
    """Text without the control characters that XML 1.0 forbids."""
    return "".join(sign for sign in text if sign in "\n\t" or _is_told(sign))


def record(sketch: ArtworkInProgress) -> dict[str, str]:
    """What is told of a picture, by name, in a fixed order; empty values are left out."""
    style = sketch.style
    told = {
        "title": sketch.haiku.lines[0] if sketch.haiku else "",
        "poem": sketch.haiku.text if sketch.haiku else "",
        "creator": _CREATOR,
        "software": f"auria_bot {__version__}",
        "digital_source_type": SOURCE_TYPE,
        "seed": str(sketch.seed),
        "theme": sketch.theme or "",
        "mood": sketch.mood or "",
        "style": f"{style.credit} ({style.key}, {style.mode}, strength {style.strength:.2f})" if style else "",
        "models": json.dumps(dict(sketch.models), sort_keys=True) if sketch.models else "",
        "alt_text": sketch.alt_text or sketch.caption or "",
    }
    return {name: _tidy(value) for name, value in told.items() if value}


def xmp(sketch: ArtworkInProgress) -> bytes:
    """An XMP packet."""
    told = record(sketch)

    def localised(tag: str, text: str) -> str:
        return f'<{tag}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></{tag}>'

    parts = [
        localised("dc:title", told.get("title", "")),
        localised("dc:description", told.get("poem", "")),
        f"<dc:creator><rdf:Seq><rdf:li>{escape(_CREATOR)}</rdf:li></rdf:Seq></dc:creator>",
        f"<xmp:CreatorTool>{escape(told['software'])}</xmp:CreatorTool>",
        f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>",
    ]
    if "alt_text" in told:
        parts.append(localised("Iptc4xmpCore:AltTextAccessibility", told["alt_text"]))
    parts += [
        f"<auria:{name}>{escape(told[name])}</auria:{name}>"
        for name in ("seed", "theme", "mood", "style", "models")
        if name in told
    ]
    spaces = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in _NAMESPACES.items())
    body = "\n".join(f"   {part}" for part in parts)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'  <rdf:Description rdf:about="" {spaces}>\n{body}\n  </rdf:Description>\n'
        '</rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'
    ).encode()


def exif(sketch: ArtworkInProgress) -> bytes:
    """EXIF with description, artist and software; the poem and the whole record as user comment."""
    told = record(sketch)
    tags = Image.Exif()
    tags[0x010E] = (
        told.get("title", "").encode("ascii", "replace").decode()
    )  # ImageDescription is ASCII by the standard
    tags[0x013B] = _CREATOR
    tags[0x0131] = told["software"]
    tags.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + json.dumps(told, ensure_ascii=False).encode(
        "utf-16-be"
    )  # UserComment
    return tags.tobytes()


def png_chunks(sketch: ArtworkInProgress) -> PngImagePlugin.PngInfo:
    """PNG's colour space, its registered text keywords, and the XMP packet."""
    told = record(sketch)
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\0")  # perceptual intent
    names = {
        "title": "Title",
        "creator": "Author",
        "poem": "Description",
        "software": "Software",
        "digital_source_type": "Source",
    }
    for name, keyword in names.items():
        if name in told:
            chunks.add_itxt(keyword, told[name], "en", keyword)
    rest = {name: value for name, value in told.items() if name not in names}
    chunks.add_itxt("Comment", json.dumps(rest, ensure_ascii=False), "en", "Comment")
    chunks.add_itxt("XML:com.adobe.xmp", xmp(sketch).decode())
    return chunks


@cache
def icc_profile() -> bytes:
    """The sRGB profile, with the day of its making fixed: Pillow's would write today's."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = bytes((7, 229, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # 2021-01-01 00:00:00
    data[84:100] = bytes(16)  # the profile's own checksum, which is optional
    return bytes(data)
