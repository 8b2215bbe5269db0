"""Runs inside MicroPython: import one test file, call each test_*, report, exit 1 on a failure."""

import sys


def main(folder, name):
    sys.path[0] = folder  # the script's own folder holds a patrol_contract of tests
    module = __import__(name)
    failed = ran = 0
    for key in sorted(dir(module)):
        if key.startswith("test_"):
            ran += 1
            try:
                getattr(module, key)()
            except Exception as error:
                failed += 1
                print("FAILED", name, key)
                sys.print_exception(error)
    print(ran, "ran,", failed, "failed")
    sys.exit(1 if failed or not ran else 0)


main(sys.argv[1], sys.argv[2])
