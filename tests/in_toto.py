"""Reads an attestation of understudy with in-toto's own libraries, and prints what they find as JSON.

Usage: in_toto.py ENVELOPE VERIFIER_KEY
"""

import base64
import copy
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

path, verifier = sys.argv[1:]
# A verifier key is NAME+HASH+BASE64 of the byte 1 and the public key.
public = base64.b64decode(verifier.split("+", 2)[2])[1:]
key = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(public), keyid=verifier)
content = json.load(open(path))

envelope = Envelope.from_dict(copy.deepcopy(content))
envelope.verify([key], 1)

content["payload"] = base64.b64encode(envelope.payload.replace(b"PASSED", b"FAILED")).decode()
try:
    Envelope.from_dict(content).verify([key], 1)
    changed = "accepted"
except VerificationError:
    changed = "refused"

message = json_format.Parse(envelope.payload, statement_pb2.Statement())
statement = Statement.copy_from_pb(message)
statement.validate()
result = test_result_pb2.TestResult()
json_format.ParseDict(json_format.MessageToDict(message.predicate), result)
print(json.dumps({"result": result.result, "passed": list(result.passed_tests), "changed": changed}))
