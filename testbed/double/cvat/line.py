"""The line of CVAT that this image stands in for, and the line since which each difference holds."""

LINE = "2.73"
SINCE = {
    "own_user": "2.74",
    "growth": "2.74",
    "requirements": "2.74",
    "created_via": "2.75",
    "email_verified": "2.76",
    "retries": "2.77",
    "survey": "2.79",
    "replica": "2.80",
}


def order(line):
    """The numbers of a line, for comparison."""
    return tuple(int(part) for part in line.split("."))


def has(difference):
    """Whether this line has it."""
    return order(LINE) >= order(SINCE[difference])
