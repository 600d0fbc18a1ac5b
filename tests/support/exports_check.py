"""Reads the files of test_exports and works them out again, with nothing of the program's own code.

  exports_check.py FOLDER              the profile and the heap snapshot against the JSON lines, and those in themselves
  exports_check.py --chromium FOLDER   the heap snapshots in Chromium's own loader (the developer tools' worker)
"""
import collections
import gzip
import json
import pathlib
import sys


def load_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


# --- profile.proto ---------------------------------------------------------------------------------------------------


def varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return number, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            assert len(value) == length
        yield key >> 3, value


def packed(data):
    numbers, at = [], 0
    while at < len(data):
        number, at = varint(data, at)
        numbers.append(number)
    return numbers


def load_profile(path):
    """[(stack of frames, leaf first, [objects, bytes, retained])], after the references have been followed."""
    messages = collections.defaultdict(list)
    for field, value in fields(gzip.decompress(path.read_bytes())):
        messages[field].append(value)
    strings = [s.decode() for s in messages[6]]
    assert strings[0] == "" and len(set(strings)) == len(strings)
    types = [tuple(strings[value] for _, value in fields(m)) for m in messages[1]]
    assert types == [("inuse_objects", "count"), ("inuse_space", "bytes"), ("retained", "bytes")], types
    assert strings[messages[14][0]] == "inuse_space"
    functions = {f[1]: strings[f[2]] for f in (dict(fields(m)) for m in messages[5])}
    frames = {}
    for message in messages[4]:
        location = dict(fields(message))
        frames[location[1]] = functions[dict(fields(location[4]))[1]]
    assert 0 not in frames and 0 not in functions
    samples = []
    for message in messages[2]:
        sample = dict(fields(message))
        samples.append(([frames[i] for i in packed(sample[1])], packed(sample[2])))
    return samples


def retained_by_type(lines):
    """Of each type and root: what its nodes retain, not again what is below another of the same; the types of
    objects and the names of roots are different things."""
    node = {line["id"]: line for line in lines}
    name = lambda line: line["type"] if line["kind"] == "object" else f"{line['kind']} {line['type']}"
    total = collections.Counter()
    for line in lines:
        if line["path"] is None:
            continue
        above = line["dominator"]
        while above is not None and name(node[above]) != name(line):
            above = node[above]["dominator"]
        if above is None:
            total[name(line)] += line["retained"]
    return total


def check_profile(path, lines):
    samples = load_profile(path)
    objects = [line for line in lines if line["kind"] == "object"]
    by_leaf = collections.defaultdict(lambda: [0, 0, 0])
    for stack, values in samples:
        by_leaf[stack[0]] = [a + b for a, b in zip(by_leaf[stack[0]], values)]
        assert stack[-1] in ("(several roots)", "(not reachable)") or stack[-1].split()[0] in (
            "global", "stack", "timer", "finalizer"), stack
        assert len(stack) <= 65
    for kind in {line["type"] for line in objects}:
        of_kind = [line for line in objects if line["type"] == kind]
        assert by_leaf[kind][:2] == [len(of_kind), sum(line["bytes"] for line in of_kind)], kind
    retained = retained_by_type(lines)
    assert {k: v[2] for k, v in by_leaf.items() if v[2]} == {k: v for k, v in retained.items() if v}
    assert sum(v[1] for v in by_leaf.values()) == sum(line["bytes"] for line in objects)
    # A frame's cumulated bytes are what it retains: for roots, which are on a stack once, to the byte.
    for line in lines:
        if line["kind"] != "object":
            frame = f"{line['kind']} {line['type']}"
            same = sum(o["retained"] for o in lines if o["kind"] == line["kind"] and o["type"] == line["type"])
            assert sum(values[1] for stack, values in samples if stack[-1] == frame) == same, frame


# --- .heapsnapshot ---------------------------------------------------------------------------------------------------


def load_heap(path):
    """(number of nodes, successors, self sizes, ids, names), after the structure has been checked."""
    data = json.loads(path.read_text())
    meta = data["snapshot"]["meta"]
    node_fields, edge_fields = meta["node_fields"], meta["edge_fields"]
    rows = [dict(zip(node_fields, data["nodes"][i:i + len(node_fields)]))
            for i in range(0, len(data["nodes"]), len(node_fields))]
    edges = [dict(zip(edge_fields, data["edges"][i:i + len(edge_fields)]))
             for i in range(0, len(data["edges"]), len(edge_fields))]
    assert len(rows) == data["snapshot"]["node_count"] and len(edges) == data["snapshot"]["edge_count"]
    assert sum(row["edge_count"] for row in rows) == len(edges)
    assert len({row["id"] for row in rows}) == len(rows) and all(0 < row["id"] < 2**32 for row in rows)
    node_types, edge_types = meta["node_types"][0], meta["edge_types"][0]
    assert node_types[rows[0]["type"]] == "synthetic"
    at, successors = 0, []
    for row in rows:
        assert row is rows[0] or node_types[row["type"]] == "object"
        mine = edges[at:at + row["edge_count"]]
        at += row["edge_count"]
        successors.append([edge["to_node"] // len(node_fields) for edge in mine])
        for edge in mine:
            assert edge["to_node"] % len(node_fields) == 0 and edge["to_node"] < len(data["nodes"])
            if edge_types[edge["type"]] != "element":
                assert edge["name_or_index"] < len(data["strings"])
    return successors, [row["self_size"] for row in rows], [row["id"] for row in rows], [
        data["strings"][row["name"]] for row in rows]


def retained_sizes(successors, sizes):
    """By the definition, with no dominators: what cannot be reached any more without the node."""
    def reach(without):
        seen, stack = {0}, [0]
        while stack:
            for to in successors[stack.pop()]:
                if to != without and to not in seen:
                    seen.add(to)
                    stack.append(to)
        return seen
    all_nodes = reach(None)
    assert len(all_nodes) == len(successors), "nodes that nothing reaches"
    total = sum(sizes)
    return [total if v == 0 else total - sum(sizes[u] for u in reach(v)) for v in range(len(successors))]


def expected_by_id(lines):
    """What is retained, by the ids of a heap snapshot: roots are even, objects made of their addresses."""
    objects = sum(line["kind"] == "object" for line in lines)
    return {2 * ((line["address"] >> 3) % 2**31) + 1 if line["kind"] == "object" else 4 + 2 * (line["id"] - objects): line
            for line in lines}


def check_heap(path, lines, complete):
    successors, sizes, ids, names = load_heap(path)
    expected = expected_by_id(lines)
    reachable = [line for line in lines if line["path"] is not None]
    assert sum(sizes) == sum(line["bytes"] for line in reachable)
    assert (len(ids) == len(reachable) + 1) == complete
    step = max(1, len(ids) // 400)  # the definition is quadratic
    retained = retained_sizes(successors, sizes) if step == 1 else None
    for v in range(1, len(ids)):
        line = expected[ids[v]]
        assert names[v] == (line["type"] if line["kind"] == "object" else f"{line['kind']} {line['type']}")
        assert not complete or sizes[v] == line["bytes"]
        assert retained is None or retained[v] == line["retained"], (v, retained[v], line)


# --- Chromium --------------------------------------------------------------------------------------------------------

# The loader and the worker that the Memory panel uses; both are in every Chromium.
OPEN = """(async (text) => {
  const base = "devtools://devtools/bundled/entrypoints/heap_snapshot_worker/heap_snapshot_worker";
  const loaders = (await import(base + ".js")).HeapSnapshotLoader;
  const worker = new Worker(base + "-entrypoint.js", {type: "module"}), channel = new MessageChannel();
  await new Promise((ready) => { worker.onmessage = ready; });  // what is sent before it says so can get lost
  worker.postMessage({disposition: "setupForSecondaryInit", callId: 1, objectId: 1}, [channel.port2]);
  const loader = new loaders.HeapSnapshotLoader({sendEvent() {}, updateStatus() {}, reportProblem(e) { throw new Error(e); }});
  loader.write(text);
  loader.close();
  const snapshot = await loader.buildSnapshot(channel.port1), fields = snapshot.nodeFieldCount, rows = [];
  for (let i = 0; i < snapshot.nodeCount; i++)
    rows.push([snapshot.nodes.getValue(i * fields + 2), snapshot.retainedSizes[i], snapshot.nodeDistances[i]]);
  worker.terminate();
  return JSON.stringify(rows);
})"""


def check_in_chromium(folder):
    import browser
    window = browser.Browser()
    try:
        # Any page of that origin will do; the tools' own would start to run.
        window.call("Page.navigate", url="devtools://devtools/bundled/entrypoints/heap_snapshot_worker/heap_snapshot_worker.js")
        for name in ("hand", "random", "capped"):
            lines = load_lines(folder / f"{name}.jsonl")
            expected = expected_by_id(lines)
            text = (folder / f"{name}.heapsnapshot").read_text()
            rows = json.loads(window.evaluate(f"{OPEN}({json.dumps(text)})"))
            assert len(rows) > 1
            for number, retained, distance in rows[1:]:
                line = expected[number]
                assert retained == line["retained"], (name, number, retained, line)
                # Counted from the root's variable, which is 1; shorter where nodes were left out.
                assert name == "capped" or distance == line["path"] + 1, (name, number, distance, line)
            print(f"{name}: {len(rows)} nodes, retained sizes as here")
    finally:
        window.close()


def main():
    folder = pathlib.Path(sys.argv[-1])
    if sys.argv[1] == "--chromium":
        check_in_chromium(folder)
        return
    for name in ("hand", "random", "capped"):
        lines = load_lines(folder / f"{name}.jsonl")
        check_profile(folder / f"{name}.pb.gz", lines)
        check_heap(folder / f"{name}.heapsnapshot", lines, name != "capped")


if __name__ == "__main__":
    main()
