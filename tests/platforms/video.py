"""What the stand-ins judge a video by: its form, its length and its size, read from the bytes that were sent."""

from __future__ import annotations

import io
from dataclasses import dataclass

__all__ = ["SentVideo", "sent_video"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentVideo:
    """A video that a platform was sent."""

    codec: str
    pixels: str  # the pixel format
    sound: str  # the codec; "" without sound
    width: int
    height: int
    seconds: float
    rate: float
    size: int
    streamable: bool  # the index comes before the data
    frames: int

    def faults(
        self,
        *,
        most_bytes: int,
        seconds: tuple[float, float] = (0.0, 1e9),
        longest: int = 10_000,
        most_area: int = 100_000_000,
        rate: tuple[float, float] = (0.0, 1000.0),
        ratios: tuple[float, float] = (0.0, 1000.0),
    ) -> list[str]:
        """Why a platform with these limits refuses it."""
        found = []
        if (self.codec, self.pixels) != ("h264", "yuv420p") or self.sound not in {"", "aac"}:
            found.append(f"unsupported codec {self.codec} {self.pixels} {self.sound}")
        if self.size > most_bytes:
            found.append(f"{self.size} bytes are more than {most_bytes}")
        if not seconds[0] <= self.seconds <= seconds[1]:
            found.append(f"a duration of {self.seconds} seconds is not within {seconds}")
        if max(self.width, self.height) > longest:
            found.append(f"{self.width} x {self.height} pixels are more than {longest}")
        if self.width * self.height > most_area:
            found.append(f"{self.width} x {self.height} pixels are more than {most_area}")
        if not ratios[0] - 0.001 <= self.width / self.height <= ratios[1] + 0.001:
            found.append(f"a ratio of {self.width} : {self.height} is not within {ratios}")
        if not rate[0] - 0.01 <= self.rate <= rate[1] + 0.01:
            found.append(f"{self.rate} frames a second are not within {rate}")
        if not self.streamable:
            found.append("the index stands at the end")
        return found


def sent_video(content: bytes) -> SentVideo:
    """Decode a video completely, as a platform does.

    Raises:
        ValueError: it is none, or it is damaged.
    """
    import av

    try:
        with av.open(io.BytesIO(content)) as container:
            video, sounds = container.streams.video[0], container.streams.audio
            if "mp4" not in container.format.name:
                raise ValueError(f"{container.format.name} is not MP4")
            frames = sum(1 for _ in container.decode(video))
            return SentVideo(
                codec=video.codec_context.name,
                pixels=video.codec_context.pix_fmt or "",
                sound=sounds[0].codec_context.name if sounds else "",
                width=video.codec_context.width,
                height=video.codec_context.height,
                seconds=float(container.duration or 0) / 1e6,
                rate=float(video.average_rate or 0),
                size=len(content),
                streamable=0 < content.find(b"moov") < content.find(b"mdat"),
                frames=frames,
            )
    except (av.FFmpegError, IndexError) as error:
        raise ValueError(str(error)) from None
