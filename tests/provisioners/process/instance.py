"""A process to be looked after: `python -I -S instance.py [--OPTION[=VALUE]]... PORT MARK`.

Without options it listens on the port and ends at SIGTERM. `--say=TEXT` prints; `--print=BYTES` prints that
much; `--exit=STATUS` ends at once; `--deaf` never listens; `--stubborn` ignores SIGTERM; `--child` leaves a
child that ignores SIGTERM too, in its group; `--daemon` one in a session of its own. `--answer=FILE` answers
what stands in the file, and hangs while that is empty.
"""

from __future__ import annotations

import os
import signal
import socket
import sys


def main() -> None:
    *options, port, _ = sys.argv[1:]
    given = dict(option.removeprefix("--").partition("=")[::2] for option in options)
    if "stubborn" in given or "child" in given or "daemon" in given:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for kind in given.keys() & {"child", "daemon"}:
        if os.fork() == 0:
            if kind == "daemon":
                os.setsid()
            signal.pause()
    if "stubborn" not in given:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    print(given.get("say", "begins"), flush=True)
    if "print" in given:
        for number in range(int(given["print"]) // 100):
            print(f"{number:099d}")
        print("the end", flush=True)
    if "exit" in given:
        sys.exit(int(given["exit"]))
    if "deaf" in given:
        signal.pause()
    with socket.create_server(("127.0.0.1", int(port))) as server:
        while True:
            connection = server.accept()[0]
            if "answer" in given:
                with open(given["answer"], "rb") as file:
                    answer(connection, file.read())
            else:
                connection.close()


def answer(connection: socket.socket, text: bytes) -> None:
    """Whatever was asked; nobody asks who only looks whether somebody listens."""
    if connection.recv(1000) and text:
        connection.sendall(text)
    if text:
        connection.close()
    else:
        hanging.append(connection)


hanging: list[socket.socket] = []


if __name__ == "__main__":
    main()
