"""A small dense net of PyTorch, exported to ONNX."""

import numpy
import torch
from bookings import ROOMS, ROWS, TRAINING, labels_and_confidences, output_folder, rooms, write_predictions

FIELDS = ["lead_time", "adults"]

folder = output_folder()
torch.manual_seed(1)
net = torch.nn.Sequential(
    torch.nn.BatchNorm1d(len(FIELDS)), torch.nn.Linear(len(FIELDS), 32), torch.nn.ReLU(), torch.nn.Linear(32, 32), torch.nn.ReLU(),
    torch.nn.Linear(32, len(ROOMS)),
)
matrix = torch.tensor(TRAINING[FIELDS].to_numpy(numpy.float32))
classes = torch.tensor(numpy.searchsorted(ROOMS, rooms(TRAINING)))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(200):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(net(matrix), classes).backward()
    optimizer.step()

# The net computes logits; the last layer makes probabilities of them.
net = torch.nn.Sequential(net, torch.nn.Softmax(dim=1)).eval()
rows = torch.tensor(ROWS[FIELDS].to_numpy(numpy.float32))
any_number_of_rows = ({0: torch.export.Dim("rows")},)
torch.onnx.export(net, (rows[:2],), folder / "net.onnx", input_names=["x"], dynamic_shapes=any_number_of_rows, verbose=False)

with torch.no_grad():
    predictions = labels_and_confidences(net(rows).numpy())
options = f" --fields {','.join(FIELDS)} --labels {','.join(ROOMS)}"
write_predictions(folder, predictions, ["net.onnx"], options)
