"""The models we know: who made each, of which files it consists, and what is said of it.

Facts with their sources, checked by hand; nothing is computed here. A digest is noted only where
it could be verified: of the InsightFace packs, whose makers publish none, where several
independent projects pin the same one for the same file.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from resources.vision.known_models import Figure, KnownModel, Part, Role, Source, SourceKind
from resources.vision.thresholds import (
    ARCFACE_512,
    ARCFACE_512_GROUNDS,
    DLIB_GROUNDS,
    MOBILEFACENET,
    MOBILEFACENET_GROUNDS,
)
from resources.vision.thresholds import DLIB as DLIB_THRESHOLDS

DLIB: Final = "dlib"

_NON_COMMERCIAL: Final = "InsightFace pretrained models: non-commercial research only"
_ZOO: Final = Source(SourceKind.PUBLISHED_TABLE, "insightface, python-package/docs/model_zoo.md")
_PINNED: Final = Source(
    SourceKind.REPORTED, "pinned alike by several projects that load the file of the v0.7 release"
)
_OUR_COPY: Final = Source(SourceKind.OUR_COPY, "of the files that thresholds were measured with")
_WHEEL: Final = Source(SourceKind.OUR_COPY, "of the wheel face_recognition_models")


def _part(
    role: Role, network: str, file: str, sha256: str, source: Source, pixels: int, licence: str = ""
) -> Part:
    return Part(role, network, file, sha256, source, pixels, licence)


def _scrfd_10g(file: str) -> Part:
    digest = "5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91"
    return _part("detector", "SCRFD-10GF", file, digest, _PINNED, 640)


def _lfw(percent: float, source: Source = _ZOO) -> Figure:
    return Figure("LFW", percent, source)


def _insightface(
    name: str,
    parts: tuple[Part, ...],
    megabytes: int,
    accuracy: tuple[Figure, ...],
) -> KnownModel:
    return KnownModel(
        name,
        "insightface",
        _NON_COMMERCIAL,
        commercial_use=False,
        thresholds=ARCFACE_512,
        grounds=ARCFACE_512_GROUNDS,
        fetched_by_insightface=True,
        how_to_get=f"connect to the network once, or unpack {name}.zip of insightface's "
        "model-zoo release there",
        source="deepinsight/insightface, release model-zoo",
        parts=parts,
        dims=512,
        megabytes=megabytes,
        accuracy=accuracy,
    )


_BUFFALO_L: Final = _insightface(
    "buffalo_l",
    (
        _scrfd_10g("det_10g.onnx"),
        _part(
            "recogniser",
            "ResNet50 on WebFace600K",
            "w600k_r50.onnx",
            "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
            _PINNED,
            112,
        ),
    ),
    326,
    (_lfw(99.83), Figure("IJB-C(E4)", 97.25, _ZOO), Figure("MR-ALL", 91.25, _ZOO)),
)

_BUFFALO_S: Final = _insightface(
    "buffalo_s",
    (
        _part(
            "detector",
            "SCRFD-500MF",
            "det_500m.onnx",
            "5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a",
            _PINNED,
            640,
        ),
        _part(
            "recogniser",
            "MobileFaceNet on WebFace600K",
            "w600k_mbf.onnx",
            "9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
            _PINNED,
            112,
        ),
    ),
    159,
    (_lfw(99.70), Figure("IJB-C(E4)", 95.02, _ZOO), Figure("MR-ALL", 71.87, _ZOO)),
)

_ANTELOPE: Final = _insightface(
    "antelopev2",
    (
        _scrfd_10g("scrfd_10g_bnkps.onnx"),
        _part(
            "recogniser",
            "ResNet100 on Glint360K",
            "glintr100.onnx",
            "4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf",
            _PINNED,
            112,
        ),
    ),
    407,
    (
        Figure(
            "MR-ALL",
            90.66,
            Source(
                SourceKind.PUBLISHED_TABLE,
                "insightface, model_zoo/README.md, ResNet100 on Glint360K; none for the pack",
            ),
        ),
    ),
)

_AURAFACE: Final = KnownModel(
    "auraface",
    "insightface",
    "AuraFace: Apache-2.0",
    commercial_use=True,
    thresholds=ARCFACE_512,
    grounds=ARCFACE_512_GROUNDS,
    how_to_get="put the .onnx files of the model fal/AuraFace-v1 there",
    source="fal/AuraFace-v1 on Hugging Face",
    parts=(
        Part(
            "detector",
            "SCRFD, as InsightFace trained it",
            licence="in doubt: the repository says Apache-2.0, InsightFace says of its SCRFD "
            "weights non-commercial research only",
        ),
        Part(
            "recogniser", "ResNet100 on data free for any use", "glintr100.onnx", input_pixels=112
        ),
    ),
    dims=512,
)

_SCRFD_MOBILEFACENET: Final = KnownModel(
    "scrfd_mobilefacenet",
    "insightface",
    "SCRFD: non-commercial research only; MobileFaceNet: Apache-2.0",
    commercial_use=False,
    thresholds=MOBILEFACENET,
    grounds=MOBILEFACENET_GROUNDS,
    source="SCRFD of deepinsight/insightface, recogniser of foamliu/MobileFaceNet",
    parts=(
        _part(
            "detector",
            "SCRFD-2.5GF with key points",
            "det_2.5g.onnx",
            "bc24bb349491481c3ca793cf89306723162c280cb284c5a5e49df3760bf5c2ce",
            _OUR_COPY,
            640,
            "non-commercial research only",
        ),
        _part(
            "recogniser",
            "MobileFaceNet on MS-Celeb-1M, refined",
            "mobilefacenet.onnx",
            "85cdeb7368ed6a1e9cbaaa6f283c6b2439f1fa533c17450bfdc7f357d285d5d1",
            _OUR_COPY,
            112,
            "Apache-2.0",
        ),
    ),
    dims=128,
    megabytes=7,
    accuracy=(_lfw(99.48, Source(SourceKind.PUBLISHED_TABLE, "foamliu/MobileFaceNet, README.md")),),
)

_DLIB: Final = KnownModel(
    DLIB,
    "dlib",
    "dlib models: CC0; dlib: Boost",
    commercial_use=True,
    thresholds=DLIB_THRESHOLDS,
    grounds=DLIB_GROUNDS,
    how_to_get="install the packages `dlib-bin` and `face_recognition_models`",
    source="davisking/dlib-models, in the wheel face_recognition_models",
    parts=(
        Part("detector", "HOG of frontal faces, inside dlib"),
        _part(
            "landmarks",
            "five points",
            "shape_predictor_5_face_landmarks.dat",
            "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
            _WHEEL,
            0,
        ),
        _part(
            "recogniser",
            "ResNet of 29 layers on three million faces",
            "dlib_face_recognition_resnet_model_v1.dat",
            "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            _WHEEL,
            150,
        ),
    ),
    dims=128,
    alignment="dlib's face chip of 150 px with a margin of a quarter, by five points",
    providers=("cpu",),
    megabytes=0,
    accuracy=(
        _lfw(
            99.38,
            Source(
                SourceKind.PUBLISHED_TABLE,
                "dlib, High Quality Face Recognition with Deep Metric Learning, 2017",
            ),
        ),
    ),
)


def _raccoon(name: str) -> KnownModel:
    return KnownModel(
        name,
        "insightface",
        _NON_COMMERCIAL,
        commercial_use=False,
        thresholds=ARCFACE_512,
        grounds=ARCFACE_512_GROUNDS,
        how_to_get="insightface's own programs fetch it",
        source="deepinsight/insightface 2.0, release model-zoo",
        alignment="as its manifest says",
        unusable="it is prepared as its manifest says, which this program does not read; guessing "
        "would give vectors that look right and are not",
    )


_YUNET: Final = KnownModel(
    "yunet",
    "insightface",
    "YuNet: MIT",
    commercial_use=True,
    thresholds=ARCFACE_512,
    grounds=ARCFACE_512_GROUNDS,
    source="OpenCV Zoo",
    parts=(
        _part(
            "detector",
            "YuNet, 2023mar",
            "face_detection_yunet_2023mar.onnx",
            "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
            _OUR_COPY,
            0,
        ),
    ),
    unusable="a detector alone: it finds faces and tells nobody apart",
)

REGISTRY: Final[Mapping[str, KnownModel]] = MappingProxyType(
    {
        model.name: model
        for model in (
            _DLIB,
            _BUFFALO_L,
            _BUFFALO_S,
            _ANTELOPE,
            _AURAFACE,
            _SCRFD_MOBILEFACENET,
            _raccoon("raccoon_s"),
            _raccoon("raccoon_l"),
            _YUNET,
        )
    }
)
"""By name, in the order in which they are listed."""
