"""Write how a picture was made into its own file: XMP and EXIF in JPEG, XMP and text chunks in PNG.

The IPTC digital source type says that the picture was made by a trained model. The same artwork gives the same bytes:
no clock is read.

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


def _is_allowed(character: str) -> bool:
    code = ord(character)
    return code >= 32 and not 0xD800 <= code <= 0xDFFF and code not in {0xFFFE, 0xFFFF}


def _tidy(text: str) -> str:
    """Text without the control characters that XML 1.0 forbids."""
    return "".join(character for character in text if character in "\n\t" or _is_allowed(character))


def record(artwork: ArtworkInProgress) -> dict[str, str]:
    """The metadata of a picture by name, in a fixed order; empty values are left out."""
    style = artwork.style
    fields = {
        "title": artwork.haiku.lines[0] if artwork.haiku else "",
        "poem": artwork.haiku.text if artwork.haiku else "",
        "creator": _CREATOR,
        "software": f"auria_bot {__version__}",
        "digital_source_type": SOURCE_TYPE,
        "seed": str(artwork.seed),
        "theme": artwork.theme or "",
        "mood": artwork.mood or "",
        "style": f"{style.credit} ({style.key}, {style.mode}, strength {style.strength:.2f})" if style else "",
        "models": json.dumps(dict(artwork.models), sort_keys=True) if artwork.models else "",
        "alt_text": artwork.alt_text or artwork.caption or "",
    }
    return {name: _tidy(value) for name, value in fields.items() if value}


def xmp(artwork: ArtworkInProgress) -> bytes:
    """An XMP packet."""
    fields = record(artwork)

    def localised(tag: str, text: str) -> str:
        return f'<{tag}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></{tag}>'

    parts = [
        localised("dc:title", fields.get("title", "")),
        localised("dc:description", fields.get("poem", "")),
        f"<dc:creator><rdf:Seq><rdf:li>{escape(_CREATOR)}</rdf:li></rdf:Seq></dc:creator>",
        f"<xmp:CreatorTool>{escape(fields['software'])}</xmp:CreatorTool>",
        f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>",
    ]
    if "alt_text" in fields:
        parts.append(localised("Iptc4xmpCore:AltTextAccessibility", fields["alt_text"]))
    parts += [
        f"<auria:{name}>{escape(fields[name])}</auria:{name}>"
        for name in ("seed", "theme", "mood", "style", "models")
        if name in fields
    ]
    spaces = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in _NAMESPACES.items())
    body = "\n".join(f"   {part}" for part in parts)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'  <rdf:Description rdf:about="" {spaces}>\n{body}\n  </rdf:Description>\n'
        '</rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'
    ).encode()


def exif(artwork: ArtworkInProgress) -> bytes:
    """EXIF with description, artist and software, and the whole record as user comment."""
    fields = record(artwork)
    tags = Image.Exif()
    tags[0x010E] = (
        fields.get("title", "").encode("ascii", "replace").decode()
    )  # ImageDescription is ASCII by the standard
    tags[0x013B] = _CREATOR
    tags[0x0131] = fields["software"]
    tags.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + json.dumps(fields, ensure_ascii=False).encode(
        "utf-16-be"
    )  # UserComment
    return tags.tobytes()


def png_chunks(artwork: ArtworkInProgress) -> PngImagePlugin.PngInfo:
    """PNG's colour space, its registered text keywords, and the XMP packet."""
    fields = record(artwork)
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
        if name in fields:
            chunks.add_itxt(keyword, fields[name], "en", keyword)
    rest = {name: value for name, value in fields.items() if name not in names}
    chunks.add_itxt("Comment", json.dumps(rest, ensure_ascii=False), "en", "Comment")
    chunks.add_itxt("XML:com.adobe.xmp", xmp(artwork).decode())
    return chunks


@cache
def icc_profile() -> bytes:
    """The sRGB profile with a fixed creation date; Pillow would write today's."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = bytes((7, 229, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # 2021-01-01 00:00:00
    data[84:100] = bytes(16)  # the profile's own checksum, which is optional
    return bytes(data)
