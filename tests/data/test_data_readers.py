"""Other people's files, in many handwritings; all made up here, none copied."""

import json

import numpy as np
import pytest
from data_rows import HEADER, line, rows_of

from tinykit.data import open_dataset, units
from tinykit.errors import DataError

G = 9.80665


def table(takes, separator=",", between="", end="\r\n"):
    """Takes as text, with ``between`` between them."""
    return between.join(end.join(line(row, separator) for row in take) + end for take in takes)


# name -> what is done to three takes of 119 rows
HANDWRITINGS = {
    "no blank lines": lambda t: f"{HEADER}\n" + table(t, end="\n"),
    "blank lines": lambda t: f"{HEADER}\r\n\r\n" + table(t, between="\r\n"),
    "two blank lines": lambda t: f"{HEADER}\n" + table(t, between="\n\n", end="\n") + "\n\n",
    "blank line after every row": lambda t: f"{HEADER}\r\n\r\n" + table(t, end="\r\n\r\n"),
    "blank after every row, more between": lambda t: f"{HEADER}\n\n" + table(t, between="\n\n", end="\n\n"),
    "carriage returns doubled": lambda t: f"{HEADER}\r\r\n" + table(t, end="\r\r\n"),
    "old Macintosh": lambda t: f"{HEADER}\r" + table(t, between="\r", end="\r"),
    "byte order mark": lambda t: "\ufeff" + f"{HEADER}\n" + table(t, end="\n"),
    "UTF-16": lambda t: (f"{HEADER}\n" + table(t, end="\n")).encode("utf-16"),
    "quotes and separator rows": lambda t: (
        '"aX","aY","aZ","gX","gY","gZ"\n'
        + '"","","","","",""\n'.join("".join('"' + line(row, '","') + '"\n' for row in take) for take in t)
    ),
    "semicolons and decimal commas": lambda t: (
        HEADER.replace(",", ";") + "\n" + table(t, ";", end="\n").replace(".", ",")
    ),
    "tabs": lambda t: HEADER.replace(",", "\t") + "\n" + table(t, "\t", end="\n"),
    "commas and spaces": lambda t: HEADER.replace(",", ", ") + "\n" + table(t, ", ", between="\n", end="\n"),
    "comma at the end": lambda t: HEADER + "\n" + table(t, end=",\n"),
    "header again before each": lambda t: f"{HEADER}\n" + table(t, between=f"\n{HEADER}\n", end="\n"),
    "other names, other order": lambda t: (
        "gyro_x,gyro_y,gyro_z,acc_x,acc_y,acc_z\n" + table([take[:, [3, 4, 5, 0, 1, 2]] for take in t], end="\n")
    ),
    "words before the header": lambda t: "Serial port opened\n\n" + f"{HEADER}\n" + table(t, end="\n"),
    "units in the header": lambda t: "aX (g),aY (g),aZ (g),gX [deg/s],gY [deg/s],gZ [deg/s]\n" + table(t, end="\n"),
    "metres and radians in the header": lambda t: (
        "ax [m/s^2],ay [m/s^2],az [m/s^2],gx [rad/s],gy [rad/s],gz [rad/s]\n"
        + "".join(
            ",".join(f"{v:.6f}" for v in [*(row[:3] * G), *np.radians(row[3:])]) + "\n" for take in t for row in take
        )
    ),
}


@pytest.mark.parametrize("name", HANDWRITINGS)
def test_one_content_in_many_handwritings(name, write, close):
    takes = rows_of(takes=3)
    folder = write("anna/punch.csv", HANDWRITINGS[name](takes))
    dataset = open_dataset(folder)
    assert len(dataset) == 3 and dataset.labels == ("punch",) and dataset.persons == ("anna",)
    assert dataset.channels == units.CHANNELS and dataset.rate_hz == 119
    for recording, take in zip(dataset, takes, strict=True):
        assert close(recording.samples, take)


def test_magnetometer_columns_are_left_out_and_told(write, close):
    takes = rows_of(takes=4)
    text = "aX, aY, aZ, gX, gY, gZ, mX, mY, mZ\n" + "\n".join(
        "".join(line(row, ", ") + ", 12.5, -3.0, 40.1\n" for row in take) for take in takes
    )
    dataset = open_dataset(write("spells/Lumos.csv", text))
    assert len(dataset) == 4 and dataset.channels == units.CHANNELS
    assert all(close(r.samples, t) for r, t in zip(dataset, takes, strict=True))
    assert any("mX" in note and "left out" in note for note in dataset.card["notes"])


@pytest.mark.parametrize("extra", [1, 22, 80])
def test_rows_that_fill_no_gesture_are_told(write, extra):
    takes = [*rows_of(takes=13), rows_of(takes=1, number=90)[0][:extra]]
    dataset = open_dataset(write("ann/wave.csv", f"{HEADER}\n" + table(takes, end="\n")))
    assert len(dataset) == 13 and all(len(r) == 119 for r in dataset)
    assert any(
        f"{extra} row{'s' * (extra > 1)} left over at the end left out" in note for note in dataset.card["notes"]
    )


def test_parts_of_other_lengths_between_blank_lines(write):
    takes = rows_of(takes=8)
    parts = [*takes[:5], np.vstack(takes[5:7]), takes[7][:100], takes[7][:20]]
    dataset = open_dataset(write("ann/wave.csv", f"{HEADER}\n" + table(parts, between="\n", end="\n")))
    assert [len(r) for r in dataset] == [119] * 7 + [100]
    note = " ".join(dataset.card["notes"])
    assert "without a blank line" in note and "fewer than 119" in note and "20 rows in parts" in note


def test_thirty_rows_a_gesture_with_blank_lines(write):
    takes = rows_of(takes=9, rows=30)
    dataset = open_dataset(write("ann/flex.csv", f"{HEADER}\n" + table(takes, between="\n", end="\n")))
    assert [len(r) for r in dataset] == [30] * 9 and dataset.rate_hz == 30
    assert any("30 Hz assumed" in note for note in dataset.card["notes"])


def test_thirty_rows_a_gesture_without_blank_lines(write):
    # Thirty rows out of each movement's middle: where one ends and the next begins, the signal jumps.
    takes = [t[40:70] for t in rows_of("wing", takes=40)]
    folder = write("ann/flex.csv", f"{HEADER}\n" + table(takes, end="\n"))
    dataset = open_dataset(folder)
    assert [len(r) for r in dataset] == [30] * 40
    assert any("where the signal jumps" in note for note in dataset.card["notes"])
    assert [len(r) for r in open_dataset(folder, rows_per_take=60)] == [60] * 20
    assert open_dataset(folder, rate_hz=60).rate_hz == 60


def test_one_stream_in_metres_without_units(write, close):
    takes = rows_of("negative", takes=10)
    takes = [np.hstack([np.clip(t[:, :3] * G, -19.6, 19.6), t[:, 3:]]) for t in takes]
    dataset = open_dataset(write("joe/other.csv", f"{HEADER}\n" + table(takes, end="\n")))
    assert close(dataset[0].samples[:, 3:], takes[0][:, 3:])
    assert np.allclose(dataset[0].samples[:, :3], takes[0][:, :3] / G, atol=1e-3)
    assert any("m/s2" in note for note in dataset.card["notes"])
    stated = open_dataset(write("joe/other.csv", f"{HEADER}\n" + table(takes, end="\n")), acceleration="g")
    assert np.allclose(stated[0].samples[:, :3], takes[0][:, :3], atol=1e-3)


def test_people_with_different_units_in_one_folder(write):
    takes = rows_of(takes=4)
    write("ann/punch.csv", f"{HEADER}\n" + table(takes, end="\n"))
    folder = write("bob/punch.csv", f"{HEADER}\n" + table([t * [G, G, G, 1, 1, 1] for t in takes], end="\n"))
    dataset = open_dataset(folder)
    a, b = (dataset.select(persons=p) for p in ("ann", "bob"))
    for x, y in zip(a, b, strict=True):
        assert np.allclose(x.samples, y.samples, atol=2e-3)
    assert any(note.startswith("bob:") for note in dataset.card["notes"])


def test_persons_labels_and_plain_folders(write):
    text = f"{HEADER}\n" + table(rows_of(takes=2), end="\n")
    write("data/ann/punch_1.csv", text)
    write("data/ann/punch_2.csv", text)
    write("data/ann/v2.csv", text)
    folder = write("data/bob/punch.0a1b.csv", text)
    write("README.md", "# nothing to read")
    write(".hidden/x.csv", text)
    dataset = open_dataset(folder)
    assert dataset.persons == ("ann", "bob") and dataset.labels == ("punch", "v2")
    assert len(dataset) == 8 and len({r.id for r in dataset}) == 8
    assert open_dataset(folder / "data" / "ann" / "v2.csv").persons == ("ann",)
    assert open_dataset(folder, person="me").persons == ("me",)


@pytest.mark.parametrize("unit, factor", [("ms", 1.0), ("s", 1e-3), ("us", 1e3)])
def test_csv_with_times_is_one_recording_at_its_true_rate(write, unit, factor, close):
    take = rows_of(takes=1, rows=150, channels=3)[0]
    times = np.arange(150) * 16.0 + 1_650_000.0
    text = "timestamp,accX,accY,accZ\n" + "".join(
        f"{t * factor:.6f},{line(row)}\n" for t, row in zip(times, take, strict=True)
    )
    dataset = open_dataset(write("wing.4f2a.csv", text))
    assert len(dataset) == 1 and dataset.labels == ("wing",)
    assert dataset.rate_hz == pytest.approx(62.5, rel=1e-6) and dataset.channels == units.ACCELERATION
    assert close(dataset[0].samples, take)


def har(folder, write, people=2, label=True):
    words = ["SEATED"] * 100 + ["WALKING"] * 138
    for p in range(people):
        take = np.vstack(rows_of("walk", takes=2, number=2 * p))
        rows = "".join(
            ",".join(f"{v:.9f}" for v in [*(row[:3] * G), *np.radians(row[3:])])
            + f",{1657544371648 + 10 * i + (3 if i % 4 == 1 else 0)}{',' + words[i] if label else ''}\n"
            for i, row in enumerate(take)
        )
        write(
            f"s{p + 1:02d}/s{p + 1:02d}_07_sw.csv",
            f"x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,timestamp{',label' if label else ''}\n{rows}",
            folder,
        )
    return np.vstack(rows_of("walk", takes=2))


def test_activities_with_a_label_per_row(write, tmp_path, close):
    take = har("har", write)
    dataset = open_dataset(tmp_path / "har")
    assert len(dataset) == 2 and dataset.persons == ("s01", "s02") and dataset.labels == ("SEATED", "WALKING")
    assert dataset[0].session == "07" and dataset.is_stream
    assert dataset.rate_hz == pytest.approx(100.0, rel=2e-3)
    assert close(dataset[0].samples, take)
    assert (dataset[0].row_labels == ["SEATED"] * 100 + ["WALKING"] * 138).all()
    windows = dataset.windows(100, 50)
    assert not windows.per_take and set(windows.labels.tolist()) == {0, 1}


def wand(takes, mark="-,-,-", end="\r\n"):
    return "".join(mark + end + "".join(line(row * G) + end for row in take) for take in takes)


def test_magic_wand_text(write, close):
    takes = [t[:n] for t, n in zip(rows_of("wing", takes=3, channels=3), (60, 45, 17), strict=True)]
    write("wing/output_wing_Ann_Lee.txt", "\n\r\n" + wand(takes))
    write("wing/output_wing_bo.txt", wand(takes[:1], end="\n") + "-,-,-\n")
    folder = write("big_ring/output_big_ring_bo.txt", wand(takes[1:]))
    dataset = open_dataset(folder)
    assert dataset.persons == ("Ann_Lee", "bo") and dataset.labels == ("big_ring", "wing")
    assert dataset.rate_hz == 25 and dataset.channels == units.ACCELERATION and len(dataset) == 6
    ann = dataset.select(persons="Ann_Lee")
    assert [len(r) for r in ann] == [60, 45, 17]
    assert all(np.allclose(r.samples, t, atol=1e-3) for r, t in zip(ann, takes, strict=True))
    assert any("25 Hz assumed" in n for n in dataset.card["notes"]) and any("m/s2" in n for n in dataset.card["notes"])


def acquisition(take, interval=16.0, names=("accX", "accY", "accZ"), unit="m/s2", factor=G):
    return json.dumps(
        {
            "protected": {"ver": "v1", "alg": "none", "iat": 1700000000},
            "signature": "0" * 64,
            "payload": {
                "device_name": "phone",
                "device_type": "X",
                "interval_ms": interval,
                "sensors": [{"name": n, "units": unit} for n in names],
                "values": (take * factor).round(5).tolist(),
            },
        }
    )


def test_edge_impulse_export(write, close):
    takes = rows_of("circle", takes=3, channels=3)
    write("training/circle.json.1.json", acquisition(takes[0]))
    write("training/xyz.2.json", acquisition(takes[1]))
    folder = write("testing/idle.3.json", acquisition(takes[2]))
    write(
        "training/info.labels",
        json.dumps(
            {
                "version": 1,
                "files": [
                    {
                        "path": "xyz.2.json",
                        "name": "xyz.2",
                        "category": "training",
                        "label": {"type": "label", "label": "updown"},
                        "metadata": {"person": "mia", "session": "3"},
                    }
                ],
            }
        ),
    )
    dataset = open_dataset(folder)
    by_label = {r.label: r for r in dataset}
    assert set(by_label) == {"circle", "updown", "idle"} and dataset.rate_hz == 62.5
    assert by_label["updown"].person == "mia" and by_label["updown"].session == "3"
    assert by_label["idle"].split == "testing" and by_label["circle"].split == "training"
    assert by_label["circle"].recorded_at.startswith("2023-11-14")
    assert close(by_label["circle"].samples, takes[0])
    assert [len(s) for s in dataset.split(by="given")] == [2, 0, 1]


def test_edge_impulse_states_a_unit_that_gravity_contradicts(write, close):
    takes = rows_of("rest", takes=3, channels=3)
    for i, take in enumerate(takes):
        folder = write(f"idle.{i}.json", acquisition(take, factor=1.0))
    dataset = open_dataset(folder)
    assert all(close(r.samples, t) for r, t in zip(dataset, takes, strict=True))
    assert any("state m/s2" in note and "read as g" in note for note in dataset.card["notes"])


def test_edge_impulse_parts_with_labels_of_their_own(write):
    take = rows_of("walk", takes=1, rows=100)[0]
    write(
        "walk.1.json",
        acquisition(take, names=("accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ"), unit="", factor=1.0),
    )
    folder = write(
        "structured_labels.labels",
        json.dumps(
            {
                "version": 1,
                "type": "structured-labels",
                "structuredLabels": {
                    "walk.1.json": [
                        {"startIndex": 0, "endIndex": 39, "label": "stand"},
                        {"startIndex": 40, "endIndex": 99, "label": "walk"},
                    ]
                },
            }
        ),
    )
    dataset = open_dataset(folder)
    assert dataset.is_stream and dataset[0].row_labels.tolist() == ["stand"] * 40 + ["walk"] * 60


GOOD = f"{HEADER}\n" + "0.1,0.2,1.0,1,2,3\n" * 119
BAD = {
    "nothing there": (None, "nothing at"),
    "an empty folder": ({"notes.md": "x"}, "is empty"),
    "no recordings": ({"a.csv": "name,age\nann,3\n"}, "no recordings"),
    "an archive": ({"a.zip": b"PK"}, "no recordings|is empty"),
    "a picture": ({"a.csv": b"\x89PNG\0\0\0"}, "no recordings"),
    "a header and no rows": ({"p/a.csv": f"{HEADER}\n\n"}, "no rows"),
    "a word for a number": ({"p/a.csv": GOOD + "0.1,0.2,abc,1,2,3\n"}, "line 121.*'abc' in column aZ"),
    "not a number": ({"p/a.csv": GOOD + "0.1,0.2,nan,1,2,3\n"}, "line 121.*not a finite number"),
    "infinite": ({"p/a.csv": GOOD + "0.1,0.2,1.0,inf,2,3\n"}, "line 121.*gX"),
    "a row too short": ({"p/a.csv": GOOD + "0.1,0.2\n"}, "line 121.*2 values, expected 6"),
    "a row too long": ({"p/a.csv": GOOD + "0.1,0.2,1,1,2,3,7\n"}, "line 121.*7 values"),
    "an axis twice": ({"p/a.csv": "aX,aX,aZ\n1,1,1\n"}, "two columns for aX"),
    "times that stand still for ever": (
        {"p/a.csv": "t,ax,ay,az\n" + "".join(f"{i * 1e13},0,0,1\n" for i in range(9))},
        "no plausible rate",
    ),
    "two formats": ({"a/x.csv": GOOD, "b/output_wing_x.txt": "-,-,-\n1,2,3\n"}, "several formats"),
    "mixed axes": ({"a/x.csv": GOOD, "b/x.csv": "aX,aY,aZ\n" + "0,0,1\n" * 119}, "Channels are mixed"),
    "mixed rates": (
        {"a/x.1.json": acquisition(np.ones((99, 3))), "a/x.2.json": acquisition(np.ones((99, 3)), 5.0)},
        "Rates are mixed",
    ),
    "strokes": (
        {"a.json": '{"strokes":[{"index":0,"label":"3","strokePoints":[{"x":0.1,"y":0.2}]}]}'},
        "strokes of the magic wand",
    ),
    "magic wand with a word": ({"wing/output_wing_x.txt": "-,-,-\n1,2,3\n1,x,3\n"}, "line 3.*'1,x,3'"),
    "magic wand without rows": ({"wing/output_wing_x.txt": "-,-,-\n-,-,-\n"}, "no rows"),
    "row without its label": (
        {"a.csv": "ax,ay,az,t,label\n0,0,1,0,run\n0,0,1,10,\n"},
        "line 3: the label is missing",
    ),
    "Edge Impulse with a hole": ({"a.json": acquisition(np.array([[0, 0, 1], [0, np.nan, 1]]))}, "reading 1"),
    "Edge Impulse with a microphone": (
        {"a.json": acquisition(np.ones((9, 1)), names=("audio",))},
        "axes of an IMU",
    ),
    "Edge Impulse in furlongs": (
        {"a.json": acquisition(np.ones((9, 3)), unit="furlong")},
        "states the units",
    ),
    "info.labels that is broken": (
        {"a.json": acquisition(np.ones((9, 3))), "info.labels": "{"},
        "info.labels",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence_and_a_way_out(name, write, tmp_path):
    files, said = BAD[name]
    for file, content in (files or {}).items():
        write(file, content)
    with pytest.raises(DataError, match=said) as error:
        open_dataset(tmp_path / "set")
    assert error.value.next and len(str(error.value)) < 500


@pytest.mark.parametrize("before, extra", [(0, 60), (4, 22), (9, 80)])
def test_an_aborted_gesture_in_the_middle_shifts_nothing(write, close, before, extra):
    takes = rows_of("flex", takes=12)
    aborted = rows_of("flex", takes=1, number=50)[0][30 : 30 + extra]
    text = f"{HEADER}\n" + table([*takes[:before], aborted, *takes[before:]], end="\n")
    dataset = open_dataset(write("ann/flex.csv", text))
    assert len(dataset) == 12 and all(close(r.samples, t) for r, t in zip(dataset, takes, strict=True))
    assert any(
        f"{extra} row{'s' * (extra > 1)} left over before gesture {before + 1}" in note
        for note in dataset.card["notes"]
    )


def test_a_dataset_one_folder_further_down_is_pointed_at(tmp_path):
    from tinykit.data import Dataset, synthetic

    Dataset([synthetic.take("punch", "ada")]).save(tmp_path / "set" / "gestures")
    with pytest.raises(DataError, match="gestures inside it") as error:
        open_dataset(tmp_path / "set")
    assert str(tmp_path / "set" / "gestures") in error.value.next


def test_an_archive_says_unpack(write, tmp_path):
    write("notes.csv", "name,age\nann,3\n")
    write("export.zip", b"PK\x03\x04")
    with pytest.raises(DataError) as error:
        open_dataset(tmp_path / "set")
    assert "Unpack" in error.value.next


@pytest.mark.parametrize("names", [("1", "2"), ("punch_01", "punch_02"), ("take (1)", "take (2)")])
def test_folders_named_after_labels(write, names):
    text = f"{HEADER}\n" + table(rows_of(takes=2), end="\n")
    for who in ("ann", "bob"):
        for name in names:
            write(f"{who}/punch/{name}.csv", text)
            folder = write(f"{who}/flex/{name.replace('punch', 'flex')}.csv", text)
    dataset = open_dataset(folder)
    assert dataset.labels == ("flex", "punch") and dataset.persons == ("ann", "bob") and len(dataset) == 16
    assert open_dataset(folder / "ann").persons == ("ann",)


def test_numbers_that_are_labels(write):
    text = f"{HEADER}\n" + table(rows_of(takes=1), end="\n")
    for digit in range(3):
        folder = write(f"ann/digit_{digit}.csv", text)
    assert open_dataset(folder).labels == ("digit_0", "digit_1", "digit_2")
