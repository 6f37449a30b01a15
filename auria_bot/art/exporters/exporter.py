"""Write the three files of a finished artwork (full-size PNG, posted JPEG, card), and into each how it was made.

Provenance is XMP and EXIF in JPEG, XMP and text chunks in PNG. The IPTC digital source type says that the picture was
made by a trained model. The same artwork gives the same bytes: no clock is read.

IPTC Photo Metadata Standard 2025.1; XMP specification part 1 (ISO 16684-1); Exif 2.32.
"""

from __future__ import annotations

import html
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageCms, ImageFilter, PngImagePlugin, TiffImagePlugin

from auria_bot import __version__
from auria_bot.art.exporters.card import card
from auria_bot.art.pictures import POST_SIZE, correct_exposure, crop, open_picture, save_picture, write_bytes
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auria_bot.domain.artwork import ArtworkInProgress

__all__ = [
    "COMPOSITE_TYPE",
    "CREATOR",
    "SOURCE_TYPE",
    "PrintExporter",
    "exif",
    "icc_profile",
    "jpeg_within",
    "png_chunks",
    "record",
    "tiff_tags",
    "xmp",
]

_escape = partial(html.escape, quote=False)  # of text between tags
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")  # by XML 1.0
_QUALITIES = (95, 93, 91, 88, 85, 81, 76, 70, 60, 45, 30)


def jpeg_within(picture: Image.Image, most_bytes: int, artwork: ArtworkInProgress) -> bytes:
    """A JPEG in the best quality that stays within a size, metadata included.

    Raises:
        InputError: even the lowest quality is larger.
    """
    size = 0
    extras: dict[str, Any] = {"icc_profile": icc_profile(), "exif": exif(artwork), "xmp": xmp(artwork)}
    extras |= {"optimize": True, "progressive": True}
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        try:
            picture.save(buffer, "JPEG", quality=quality, subsampling=0 if quality > 85 else 2, **extras)
        except OSError:  # Pillow's buffer holds a byte a pixel: a picture of pure noise overflows it
            continue
        size = buffer.tell()
        if size <= most_bytes:
            return buffer.getvalue()
    raise InputError(f"the JPEG has {size:,} bytes in the lowest quality; at most {most_bytes:,} are allowed")


class PrintExporter:
    """The exporter that ships."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Sizes of the finished files, and what their metadata says."""

        full: int = 1080  # least pixels of the full-size picture's short side; larger pictures are not reduced
        most_bytes: int = 950_000  # of a JPEG; older Bluesky servers accept 1,000,000
        theme: bool = True  # whether the metadata says what theme the operator gave

    def __init__(self, config: Config, models: Path) -> None:  # noqa: ARG002 - no model is needed
        self.config = config

    def models(self) -> Mapping[str, str]:
        """No models."""
        return {}

    def export(self, artwork: ArtworkInProgress, picture: Path, folder: Path) -> dict[str, Path]:
        """Write full.png, post.jpg and card.jpg into `folder` from the styled picture.

        Raises:
            PictureError: the picture cannot be read.
            InputError: the artwork has no poem yet.
            DiskError: a file cannot be written.
        """
        if not self.config.theme:
            artwork = artwork.evolve(theme=None)
        if artwork.haiku is None:
            raise InputError("the artwork has no poem yet; it cannot be finished")
        styled = correct_exposure(open_picture(picture))
        ratio = self.config.full / min(styled.size)
        full = styled
        if ratio > 1:
            size = (round(styled.width * ratio), round(styled.height * ratio))
            full = styled.resize(size, Image.Resampling.LANCZOS)
            # Compensate for the softness of enlarging.
            full = full.filter(ImageFilter.UnsharpMask(radius=1.2, percent=60, threshold=2))
        files = {"full": folder / "full.png", "post": folder / "post.jpg", "card": folder / "card.jpg"}
        credit = artwork.style.credit if artwork.style else ""
        with ThreadPoolExecutor(1) as pool:  # the PNG takes as long as both JPEGs
            writing = pool.submit(save_picture, full, files["full"], pnginfo=png_chunks(artwork), compress_level=2)
            write_bytes(files["post"], jpeg_within(crop(full, POST_SIZE), self.config.most_bytes, artwork))
            poem = card(full, artwork.haiku.lines, credit, mood=artwork.mood or "")
            write_bytes(files["card"], jpeg_within(poem, self.config.most_bytes, artwork))
            writing.result()
        return files


SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's term for media made by a trained model."""

COMPOSITE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for media that a trained model changed."""

CREATOR = "Auria, an artist who lives on a server (auria_bot)"
_NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "auria": "https://auria.example/ns/1.0/",
}


def record(artwork: ArtworkInProgress) -> dict[str, str]:
    """The metadata of a picture by name, in a fixed order; empty values are left out."""
    style = artwork.style
    fields = {
        "title": artwork.haiku.lines[0] if artwork.haiku else "",
        "poem": artwork.haiku.text if artwork.haiku else "",
        "creator": CREATOR,
        "software": f"auria_bot {__version__}",
        "digital_source_type": SOURCE_TYPE,
        "seed": str(artwork.seed),
        "theme": artwork.theme or "",
        "mood": artwork.mood or "",
        "style": f"{style.credit} ({style.key}, {style.mode}, strength {style.strength:.2f})" if style else "",
        "models": json.dumps(dict(artwork.models), sort_keys=True) if artwork.models else "",
        "alt_text": artwork.alt_text or artwork.caption or "",
    }
    return {name: _FORBIDDEN.sub("", value) for name, value in fields.items() if value}


def xmp(artwork: ArtworkInProgress) -> bytes:
    """An XMP packet."""
    fields = record(artwork)

    def localised(tag: str, text: str) -> str:
        return f'<{tag}><rdf:Alt><rdf:li xml:lang="x-default">{_escape(text)}</rdf:li></rdf:Alt></{tag}>'

    parts = [
        localised("dc:title", fields.get("title", "")),
        localised("dc:description", fields.get("poem", "")),
        f"<dc:creator><rdf:Seq><rdf:li>{_escape(CREATOR)}</rdf:li></rdf:Seq></dc:creator>",
        f"<xmp:CreatorTool>{_escape(fields['software'])}</xmp:CreatorTool>",
        f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>",
    ]
    if "alt_text" in fields:
        parts.append(localised("Iptc4xmpCore:AltTextAccessibility", fields["alt_text"]))
    parts += [
        f"<auria:{name}>{_escape(fields[name])}</auria:{name}>"
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
    tags.update(_credit(fields))
    comment = json.dumps(fields, ensure_ascii=False).encode("utf-16-be")
    tags.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + comment  # UserComment
    return tags.tobytes()


def png_chunks(artwork: ArtworkInProgress, *, profile: bool = False) -> PngImagePlugin.PngInfo:
    """PNG's colour space, its registered text keywords, and the XMP packet.

    With `profile`, the colour space is left to an embedded profile; PNG allows one of both.
    """
    fields = record(artwork)
    chunks = PngImagePlugin.PngInfo()
    if not profile:
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


def tiff_tags(artwork: ArtworkInProgress) -> TiffImagePlugin.ImageFileDirectory_v2:
    """TIFF's tags for description, artist and software, and the XMP packet."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.update(_credit(record(artwork)))
    tags.tagtype[700] = 7  # bytes
    tags[700] = xmp(artwork)
    return tags


def _credit(fields: dict[str, str]) -> dict[int, str]:
    """The tags ImageDescription, which is ASCII by the standard, Artist and Software."""
    title = fields.get("title", "").encode("ascii", "replace").decode()
    return {0x010E: title, 0x013B: CREATOR, 0x0131: fields["software"]}


@cache
def icc_profile() -> bytes:
    """The sRGB profile with a fixed creation date; Pillow would write today's."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = bytes((7, 229, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # 2021-01-01 00:00:00
    data[84:100] = bytes(16)  # the profile's own checksum, which is optional
    return bytes(data)
