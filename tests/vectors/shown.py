"""Test vectors of how text and captions are shown."""

from __future__ import annotations

from relay.crypto.encoding import b64u_encode
from relay.domain.captions import NotCaptions, readable_captions
from relay.domain.texts import readable
from tests.vectors.chains import Json


def texts() -> Json:
    """Text and captions as everybody is shown them."""
    plain = {
        "ordinary words": "Où étais-tu ? שלום \U0001f469\u200d\U0001f467 a\u200cb\tc\u00a0!\n\nOui.",
        "an override": "I am \u202enot\u202c sorry",
        "isolates and embeddings": "\u202aa\u202b\u202d\u2066b\u2067\u2068c\u2069",
        "marks of direction": "a\u200eb\u200fc\u061cd",
        "deprecated formatting": "\u206aa\u206f",
        "controls": "a\x00b\x07\x1b[31mc\x7f\x9b",
        "line ends of every kind": "a\r\nb\rc\u2028d\u2029e\x0bf\x0cg\x85h",
        "a byte order mark": "\ufeffWords",
        "annotations": "\ufff9a\ufffab\ufffb",
        "hidden letters": "hello\U000e0068\U000e0069",
        "a flag written with tags": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "a flag without an end": "\U0001f3f4\U000e0067\U000e0062",
        "nothing": "",
    }
    timed = "00:01.000 --> 00:02.000\n"
    files = {
        "as they are written here": f"WEBVTT\n\n{timed}Hello.\nI am here.\n",
        "names, notes, styles, positions": (
            "WEBVTT - x\nKind: captions\n\nNOTE a --> b\n\nSTYLE\n::cue {}\n\n1\n"
            "01:00:01.000 --> 01:00:02.500 position:10%\n<v.loud Ada ><i>Hel</i>lo &amp; you</v>\n"
        ),
        "references that turn words": f"WEBVTT\n\n{timed}a &#x202E;b &#8238; c &rlm;&lrm;&nbsp;d &#10;e\n",
        "references of nothing": f"WEBVTT\n\n{timed}&#xD800; &#1114112; &foo; &amp\n",
        "what reads like markup afterwards": f"WEBVTT\n\n{timed}&lt;i&gt; 1 < 2 <b\n",
        "an arrow by reference": f"WEBVTT\n\n{timed}a --&gt; b\n",
        "a cue of markup alone": f"WEBVTT\n\n{timed}<c></c>\n\n00:03.000 --> 00:04.000\nYes.\n",
        "characters that turn words": f"WEBVTT\n\n{timed}a\u202eb\n",
        "no cue": "WEBVTT\n",
        "nothing": "",
        "no header": f"{timed}Hi\n",
        "words without times": "WEBVTT\n\nHi there\n",
        "commas for points": "WEBVTT\n\n00:01,000 --> 00:02,000\nHi\n",
        "an end before the beginning": "WEBVTT\n\n00:02.000 --> 00:01.000\nHi\n",
        "a line out of order": f"WEBVTT\n\n00:05.000 --> 00:06.000\nA\n\n{timed}B\n",
        "no words": f"WEBVTT\n\n{timed}\n",
        "an arrow in the words": f"WEBVTT\n\n{timed}a --> b\n",
    }
    return {
        "plain": [
            {"what": what, "text": _utf8(text), "shown": _utf8(readable(text))}
            for what, text in plain.items()
        ],
        "captions": [
            {"what": what, "file": _utf8(file), "shown": _shown(file)}
            for what, file in files.items()
        ],
    }


def _utf8(text: str) -> str:
    return b64u_encode(text.encode())


def _shown(file: str) -> str | None:
    try:
        return _utf8(readable_captions(readable(file)))
    except NotCaptions:
        return None
