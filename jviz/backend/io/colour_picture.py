"""Colour pictures as PNG and TIFF with 8 or 16 bits, and where they lie on the sky as AVM metadata.

AVM is the Astronomy Visualization Metadata standard 1.2 (Hurt et al. 2014), an XMP packet that planetarium
programs and press offices read.
"""

from __future__ import annotations

import struct
import zlib
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["avm_packet", "write_png", "write_tiff"]

KEYWORD = b"XML:com.adobe.xmp"
XMP_TAG = 700


def write_png(path: Path, picture: np.ndarray, packet: str = "") -> None:
    """Write a PNG file.

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, shape (height, width, 3)
        Row 0 at the top.
    packet : str
        XMP.
    """
    height, width, _ = picture.shape
    depth = picture.dtype.itemsize * 8
    rows = np.ascontiguousarray(picture.astype(picture.dtype.newbyteorder(">"))).reshape(height, -1).view(np.uint8)
    packed = zlib.compressobj(6)
    data = [packed.compress(b"\0" + row.tobytes()) for row in rows]
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
        if packet:
            _chunk(file, b"iTXt", KEYWORD + b"\0\0\0\0\0" + packet.encode())
        _chunk(file, b"IDAT", b"".join([*data, packed.flush()]))
        _chunk(file, b"IEND", b"")


def _chunk(file: Any, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def write_tiff(path: Path, picture: np.ndarray, packet: str = "") -> None:
    """Write a TIFF file, compressed without loss; parameters as of `write_png`."""
    import tifffile

    packed = packet.encode()
    extra = [(XMP_TAG, 1, len(packed), packed, True)] if packet else []
    tifffile.imwrite(path, picture, photometric="rgb", compression="zlib", extratags=extra, software="jviz")


def avm_packet(sky: Any, shape: tuple[int, int], *, step: float = 1.0, title: str = "", credit: str = "") -> str:
    """Return the XMP packet that says where a picture lies on the sky.

    Parameters
    ----------
    sky : SkyMap or None
        Of the grid of the picture; without one the packet has no place.
    shape : (int, int)
        Rows and columns of the grid in its own pixels; the picture has ``step`` of them for each of its own.
    title : str

    Notes
    -----
    AVM knows no distortion: reference value, scale and rotation are exact in the middle of the picture.
    """
    words = {"dc:title": title, "photoshop:Credit": credit}
    lines = [f"<{name}>{escape(value)}</{name}>" for name, value in words.items() if value and name != "dc:title"]
    if title:
        lines.append(f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>')
    lines.append("<avm:MetadataVersion>1.2</avm:MetadataVersion>")
    lines += _place(sky, shape, step) if sky is not None else []
    inside = "\n   ".join(lines)
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:avm="http://www.communicatingastronomy.org/avm/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">
   {inside}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def _place(sky: Any, shape: tuple[int, int], step: float) -> list[str]:
    ny, nx = shape
    x, y = (nx - 1) / 2, (ny - 1) / 2
    lon, lat = (float(v) for v in sky.pixel_to_sky(x, y))
    # d(east, north) / d(x, y), in degrees per pixel of the picture
    (a, b), (c, d) = np.asarray(sky.jacobian(x, y)) * step / 3600
    scale = float(np.sqrt(abs(a * d - b * c)))
    rotation = float(np.degrees(np.arctan2(-b if a * d - b * c > 0 else b, d)))
    columns, rows = nx / step, ny / step
    texts = {"CoordinateFrame": "ICRS", "Equinox": "2000.0", "Rotation": f"{rotation:.8f}",
             "CoordsystemProjection": "TAN", "Quality": "Full"}  # fmt: skip
    lists = {
        "ReferenceValue": (lon, lat), "ReferenceDimension": (float(round(columns)), float(round(rows))),
        "ReferencePixel": ((columns + 1) / 2, (rows + 1) / 2), "Scale": (-scale, scale), "CDMatrix": (a, b, c, d),
    }  # fmt: skip
    found = [f"<avm:Spatial.{name}>{value}</avm:Spatial.{name}>" for name, value in texts.items()]
    for name, values in lists.items():
        items = "".join(f"<rdf:li>{float(value):.14g}</rdf:li>" for value in values)
        found.append(f"<avm:Spatial.{name}><rdf:Seq>{items}</rdf:Seq></avm:Spatial.{name}>")
    return found
