"""Support vector machines of scikit-learn, answered by ONNX Runtime.

    pip install 'protobuf<7' onnx==1.23.2 onnxruntime==1.32.0 skl2onnx==1.20.0 scikit-learn==1.9.1
    python support_vectors.py ../../../plugins/tabular/onnx/tests/support-vectors.cases.gz
"""

import sys
import warnings

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

from case_file import onnxruntime_case, write

warnings.filterwarnings("ignore")
WIDTH = 6
rng = np.random.default_rng(7)
X = rng.normal(size=(160, WIDTH)).astype(np.float32)
rows = rng.normal(size=(40, WIDTH)).astype(np.float32)
signal = X[:, 0] * X[:, 1] + np.sin(X[:, 2] * 2) + 0.3 * rng.normal(size=len(X))
classes = np.array(["corporate", "direct", "groups", "other"])[np.digitize(signal, [-0.8, 0.0, 0.8])]
binary = (signal > 0).astype(int)

MODELS = {
    "svr": (SVR(), signal),
    "svr-linear": (SVR(kernel="linear"), signal),
    "svr-polynomial": (SVR(kernel="poly", degree=3, coef0=0.5), signal),
    "svr-sigmoid": (SVR(kernel="sigmoid", coef0=0.1), signal),
    "nu-svr": (NuSVR(), signal),
    "one-class": (OneClassSVM(), None),
}
for kernel in ("rbf", "linear", "poly", "sigmoid"):
    for probability in (False, True):
        name = f"svc-{kernel}{'-probability' if probability else ''}"
        MODELS[name] = (SVC(kernel=kernel, probability=probability, random_state=1), classes)
        MODELS[f"{name}-binary"] = (SVC(kernel=kernel, probability=probability, random_state=1), binary)
MODELS["nu-svc"] = (NuSVC(nu=0.2, probability=True, random_state=1), classes)


def main():
    cases = []
    for name, (model, target) in MODELS.items():
        model.fit(X, target)
        options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None
        export = to_onnx(model, initial_types=[("X", FloatTensorType([None, WIDTH]))], options=options, target_opset={"": 18, "ai.onnx.ml": 3})
        cases.append(onnxruntime_case(name, export.SerializeToString(), [rows]))
        print(name, [f"{node.op_type}" for node in export.graph.node], file=sys.stderr)
    write(sys.argv[1], cases)


if __name__ == "__main__":
    main()
