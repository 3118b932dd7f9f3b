"""Runs Django's commands in one process. A caller writes a command as a line and reads its exit code."""

import sys
import traceback


def main():
    """Load Django before the first command; runs until it is terminated."""
    ask, answer = sys.argv[1:]
    import django

    django.setup()
    with open(ask, encoding="utf-8") as questions, open(answer, "w", encoding="utf-8") as answers:
        for line in iter(questions.readline, ""):
            print(run(line.split()), file=answers, flush=True)


def run(words):
    """The command's exit code; a traceback goes to the log, as from a process of its own."""
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(["django-admin", *words])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main()
