"""What the data tests write into files: rows of the generator."""

from tinykit.data import synthetic

HEADER = "aX,aY,aZ,gX,gY,gZ"


def rows_of(label="punch", who="ada", takes=3, rows=119, channels=6, number=0):
    """A list of takes, each a float array (rows, channels)."""
    return [synthetic.take(label, who, "1", number + i).samples[:rows, :channels] for i in range(takes)]


def line(row, separator=","):
    return separator.join(f"{v:.3f}" for v in row)
