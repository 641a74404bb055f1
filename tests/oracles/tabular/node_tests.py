"""ONNX's own node tests of the operators that the engine has.

    pip install 'protobuf<7' onnx==1.23.2
    python node_tests.py ../../../plugins/tabular/onnx/tests/node-tests.cases.gz
"""

import sys

import onnx
from onnx.backend.test.case.node import collect_testcases

from case_file import case, write

OPERATORS = set(
    """Abs Add And ArgMax ArgMin ArrayFeatureExtractor BatchNormalization Binarizer Cast CategoryMapper Ceil Clip Concat
    Constant ConstantOfShape Cos CumSum Div Dropout Elu Equal Erf Exp Expand FeatureVectorizer Flatten Floor Gather GatherElements Gemm Greater
    GreaterOrEqual HardSigmoid Identity Imputer IsInf IsNaN LabelEncoder LeakyRelu Less LessOrEqual LinearClassifier
    LinearRegressor Log LogSoftmax LpNormalization MatMul Max Mean Min Mod Mul Neg Normalizer Not OneHotEncoder Or PRelu Pow Reciprocal
    ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu
    Reshape Round Scaler Scan Selu Shape Sigmoid Sign Sin Slice Softmax Softplus Softsign Split Sqrt Squeeze StringNormalizer Sub Sum Tanh TfIdfVectorizer TopK
    Transpose TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor Unsqueeze Where Xor ZipMap""".split()
)
# Element types that the engine has.
TYPES = {"float32", "float64", "int32", "int64", "bool", "object"}
# Inputs of fewer elements are enough, and keep the file small.
LARGEST = 3_000


def main():
    cases, skipped = [], 0
    for test in collect_testcases(op_type=None):
        operators = {node.op_type for node in test.model.graph.node}
        if not operators <= OPERATORS or len(test.model.graph.node) > 3:
            continue
        inputs, outputs = test.data_sets[0]
        arrays = [*inputs, *outputs]
        try:
            if {str(array.dtype) for array in arrays} <= TYPES and sum(array.nbytes for array in arrays) <= LARGEST:
                cases.append(case(test.name, test.model.SerializeToString(), inputs, outputs))
                continue
        except AttributeError:  # A sequence or a map.
            pass
        skipped += 1
    write(sys.argv[1], cases)
    print(f"{len(cases)} node tests; {skipped} with other types or too large")


main()
