"""Tokenizers, changes of case and counts of terms, answered by ONNX Runtime.

    pip install 'protobuf<7' onnx==1.23.2 onnxruntime==1.32.0
    python text_operators.py ../../../plugins/tabular/onnx/tests/text-operators.cases.gz

The locale is C.UTF-8, which every machine has; its cases are those of Unicode.
"""

import random
import sys

import numpy as np
from onnx import TensorProto, helper

from case_file import onnxruntime_case, write

random.seed(16)
WORDS = "the a of room Room ROOM rooms 12 x1 état ÉTAT straße ΣΑΣ İstanbul non-refundable b&b _ é".split()
PATTERNS = [
    "[a-zA-Z0-9_]+", r"\w+", r"\b\w\w+\b", r"[^\s]+", ".", "a|ab|abc", r"[A-Z]?[a-z]+", r"(ro|room|o)m?s?", r"\d+|\pL*".replace(r"\pL", "[a-z]"),
    r"x?[[:digit:]]+", r"(?:a|e|i|o|u){1,2}", r"^\S+|\S+$", r"[\x{e0}-\x{ff}]+", r"o*",
]
SEPARATORS = [[" "], [" ", "-"], [r"\s+"], [r"[^a-z]", "oo"], ["room|o"], [""], ["a|an|the", r"\d"], ["e*"]]


def text():
    joined = "".join(random.choice(WORDS) + random.choice([" ", " ", "  ", ", ", "-", "", "\n"]) for _ in range(random.randrange(9)))
    return random.choice([joined, joined, joined.strip(), ""]) if joined else ""


def texts(count=12):
    column = [text() for _ in range(count - 2)] + ["", "room of the room 12 x1"]
    return np.array(column, dtype=object)


def model(nodes, kind, shape, output=TensorProto.FLOAT, names=("text",)):
    graph = helper.make_graph(
        nodes, "text", [helper.make_tensor_value_info(name, kind, shape) for name in names], [helper.make_tensor_value_info("output", output, None)]
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def terms(vocabulary, longest, skips=0, mode="TF", shortest=1, input="tokens"):
    """A TfIdfVectorizer of random terms."""
    pool, starts, count = [], [], 0
    for length in range(1, longest + 1):
        starts.append(len(pool))
        found = {tuple(random.choice(vocabulary) for _ in range(length)) for _ in range(14 if length > 1 else 40)}
        for term in sorted(found):
            pool += term
            count += 1
    kinds = {"pool_strings": pool} if isinstance(pool[0], str) else {"pool_int64s": pool}
    indexes = list(range(count))
    weights = [random.randrange(1, 9) / 4 for _ in range(count)]
    if mode == "TF":
        random.shuffle(indexes)
    return helper.make_node(
        "TfIdfVectorizer", [input], ["output"], mode=mode, min_gram_length=shortest, max_gram_length=longest, max_skip_count=skips,
        ngram_counts=starts, ngram_indexes=indexes, weights=weights, **kinds,
    )


def tokenizer(**settings):
    # The padding is no term.
    return helper.make_node("Tokenizer", ["text"], ["raw"], domain="com.microsoft", pad_value="\u00a7", **settings)


def vocabulary(settings):
    """Tokens as ONNX Runtime finds them, so that terms occur."""
    found = set(WORDS)
    for column in [texts(40) for _ in range(3)]:
        for line in column:
            found |= set(line) | set(line.split())
    marks = ["\x02", "\x03"] if settings["mark"] else []
    return sorted(found) + marks * 5 + ["room", "the", "o"] * 8


def tokens_case(name, settings, **kind):
    nodes = [tokenizer(**settings), helper.make_node("Flatten", ["raw"], ["tokens"], axis=1), terms(vocabulary(settings), **kind)]
    return onnxruntime_case(name, model(nodes, TensorProto.STRING, [None]), [texts()])


def main():
    cases = []
    for index, pattern in enumerate(PATTERNS):
        for least in [1, 2]:
            if least == 2 and pattern == ".":
                continue
            settings = dict(mark=index % 2, mincharnum=least, tokenexp=pattern)
            mode = ["TF", "IDF", "TFIDF"][index % 3]
            cases.append(tokens_case(f"match {pattern} {least}", settings, longest=1 + index % 3, skips=index % 2, mode=mode))
    for index, separators in enumerate(SEPARATORS):
        least = 1 if separators == [""] else 1 + index % 2
        settings = dict(mark=0, mincharnum=least, separators=separators)
        cases.append(tokens_case(f"separators {separators}", settings, longest=2, skips=index % 3, mode="TF", shortest=1 + index % 2))
    # Unicode 16 gives U+019B an upper case, which older C libraries lack.
    for action in ["UPPER", "LOWER", "NONE"]:
        letters = np.array([chr(code) + "x" for code in [*range(0x21, 0x19B), *range(0x19C, 0x250), *range(0x370, 0x530), *range(0x1E00, 0x2000), *range(0x2C00, 0x2C60), 0xFB01, 0x10400] if chr(code).isprintable()], dtype=object)
        node = helper.make_node("StringNormalizer", ["text"], ["output"], case_change_action=action, is_case_sensitive=0, locale="C.UTF-8")
        cases.append(onnxruntime_case(f"case {action}", model([node], TensorProto.STRING, [None], TensorProto.STRING), [letters]))
    for skips in [0, 1, 3]:
        data = np.array([[random.randrange(6) for _ in range(7)] for _ in range(10)], dtype=np.int64)
        node = terms(list(range(6)), 3, skips, "TFIDF", shortest=1 + skips % 2, input="text")
        cases.append(onnxruntime_case(f"integers {skips}", model([node], TensorProto.INT64, [None, 7]), [data]))
    for metric in ["euclidean", "sqeuclidean"]:
        node = helper.make_node("CDist", ["text", "vectors"], ["output"], domain="com.microsoft", metric=metric)
        vectors = np.random.default_rng(16).normal(size=(6, 3)).astype(np.float32)
        constant = helper.make_node("Constant", [], ["vectors"], value=helper.make_tensor("", TensorProto.FLOAT, vectors.shape, vectors.ravel()))
        data = np.random.default_rng(17).normal(size=(9, 3)).astype(np.float32)
        cases.append(onnxruntime_case(f"distance {metric}", model([constant, node], TensorProto.FLOAT, [None, 3]), [data]))
    write(sys.argv[1], cases)
    print(f"{len(cases)} cases")


main()
