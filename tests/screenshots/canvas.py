"""What a browser's canvas can do with PNG: make them small, and tell how far two are apart. No library of images."""

import base64
import struct
import zlib

import msgspec

from tests.browser import Page

_LOAD = """
const load = async (source) => {
  const image = new Image();
  image.src = "data:image/png;base64," + source;
  await image.decode();
  return image;
};
const pixels = (image) => {
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height).data;
};
"""
# The most frequent colour of each of the 256 most frequent shades stands for its shade; the rest takes the nearest.
_SHADES = """
(async () => {
  const image = await load("%s"), width = image.width, height = image.height;
  const data = new Uint32Array(pixels(image).buffer);
  const counts = new Map();
  for (const colour of data) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const shades = new Map();
  for (const [colour, count] of counts) {
    const shade = shades.get(colour & 0xf0f0f0f0) ?? {total: 0, most: 0};
    shade.total += count;
    if (count > shade.most) [shade.most, shade.colour] = [count, colour];
    shades.set(colour & 0xf0f0f0f0, shade);
  }
  const chosen = [...shades.values()].sort((a, b) => b.total - a.total || a.colour - b.colour).slice(0, 256);
  const parts = (colour) => [colour & 255, colour >> 8 & 255, colour >> 16 & 255, colour >>> 24];
  const palette = chosen.map((shade) => parts(shade.colour));
  const far = (a, b) => a.reduce((sum, part, at) => sum + (part - b[at]) ** 2, 0);
  const nearest = new Map([...counts.keys()].map((colour) => {
    const distances = palette.map((other) => far(parts(colour), other));
    return [colour, distances.indexOf(Math.min(...distances))];
  }));
  let indices = "";
  for (const colour of data) indices += String.fromCharCode(nearest.get(colour));
  return JSON.stringify({width, height, palette, indices: btoa(indices)});
})()
"""
# Seen from far enough that a font does not matter: the mean distance of two grids of blocks, and what varies in one.
_APART = """
(async () => {
  const one = await load("%s"), other = await load("%s");
  const across = Math.ceil(one.width / 24), down = Math.ceil(one.height / 24);
  const blocks = (image) => {
    const data = pixels(image), sums = new Float64Array(across * down * 4), counts = new Float64Array(across * down);
    for (let y = 0; y < image.height; y++) for (let x = 0; x < image.width; x++) {
      const block = Math.floor(y * down / image.height) * across + Math.floor(x * across / image.width);
      counts[block]++;
      for (let part = 0; part < 4; part++) sums[block * 4 + part] += data[(y * image.width + x) * 4 + part];
    }
    return sums.map((sum, at) => sum / counts[at >> 2]);
  };
  const [a, b] = [blocks(one), blocks(other)];
  const distance = a.reduce((sum, value, at) => sum + Math.abs(value - b[at]), 0) / a.length;
  const tones = new Set(new Uint32Array(pixels(one).buffer)).size;
  return JSON.stringify({sizes: [[one.width, one.height], [other.width, other.height]], distance, tones});
})()
"""


class Shades(msgspec.Struct):
    """A picture in at most 256 colours, each red, green, blue and alpha."""

    width: int
    height: int
    palette: list[tuple[int, int, int, int]]
    indices: bytes


class Apart(msgspec.Struct):
    """Two pictures' `sizes`; their mean `distance` as blocks of 24 pixels, 0 to 255; how many `tones` the first has."""

    sizes: tuple[tuple[int, int], tuple[int, int]]
    distance: float
    tones: int


async def squeezed(tab: Page, png: bytes) -> bytes:
    """`png` in 256 colours: a third of its bytes, and nobody sees the difference."""
    found = await _run(tab, _SHADES, png)
    shades = msgspec.json.decode(found, type=Shades)
    rows = range(0, len(shades.indices), shades.width)
    lines = b"".join(b"\0" + shades.indices[at : at + shades.width] for at in rows)
    colours = b"".join(bytes(colour[:3]) for colour in shades.palette)
    clear = bytes(colour[3] for colour in shades.palette)
    head = struct.pack(">IIBBBBB", shades.width, shades.height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", colours), (b"tRNS", clear), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


async def apart(tab: Page, one: bytes, other: bytes) -> Apart:
    """How far `one` and `other`, both PNG, are apart."""
    found = await _run(tab, _APART, one, other)
    return msgspec.json.decode(found, type=Apart)


async def _run(tab: Page, script: str, *pictures: bytes) -> str:
    """On an empty page, which forbids nothing."""
    await tab.visit("about:blank", 100, 100)
    texts = tuple(base64.b64encode(png).decode() for png in pictures)
    return str(await tab.value("(async () => {" + _LOAD + "return " + script.strip() % texts + "})()"))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
