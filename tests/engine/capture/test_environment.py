"""The machine and the interpreter."""

import json
import os
import platform
import subprocess
import sys

from autolog_core.capture.environment import read_machine, read_user


def test_what_python_says_of_itself():
    machine = read_machine()
    assert machine.python == platform.python_version()
    assert machine.implementation == platform.python_implementation()
    assert machine.executable == sys.executable
    assert machine.host == platform.node()
    assert machine.system.startswith(platform.system())
    assert machine.cores == os.cpu_count()
    assert 1 <= machine.usable_cores <= machine.cores
    assert machine.memory > 1 << 20
    assert machine.cpu


def test_it_is_plain_data():
    plain = json.loads(json.dumps(read_machine().to_dictionary()))
    assert plain["python"] == platform.python_version()
    assert plain["gpus"] == []


def test_no_program_is_started_for_it():
    program = """if True:
        import sys
        sys.addaudithook(lambda event, _: event == "subprocess.Popen" and sys.exit(event))
        from autolog_core.capture.environment import read_machine
        read_machine()
        assert "psutil" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_user_is_named_or_found():
    assert read_user("ada") == "ada"
    assert read_user() == read_user(None) != ""


def test_a_user_without_an_account_is_a_number():
    if os.getuid():
        return
    program = """if True:
        import os
        from autolog_core.capture.environment import read_user
        os.setuid(54321)
        print(read_user())
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"54321"
