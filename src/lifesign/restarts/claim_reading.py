"""What a file says of its writer: run as a disposable child, because the file's mount may hang.

`python -I -S claim_reading.py KIND PATH` prints one JSON object: `uid` of the owner, `written_ns` (Unix, nanoseconds)
and `content` (text), or `fault`, the end of a sentence. KIND is `pidfile` or `heartbeat`; the content of a heartbeat is
the pid that its last object names. Standard library only. Not here: judging it (`claims`).
"""

import json
import os
import stat
import sys

_MOST_BYTES = {"pidfile": 64, "heartbeat": 65536}
_IRREGULAR = "is no regular file"


def read_claim(kind: str, path: str) -> dict[str, object]:
    """The answer as it is printed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError:
        return {"fault": "is not there"}
    except OSError as error:
        return {"fault": "is a symbolic link" if os.path.islink(path) else _reason(error)}  # noqa: PTH114 - light
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return {"fault": _IRREGULAR}
        if status.st_nlink != 1:
            return {"fault": f"has {status.st_nlink} names, so that its folder does not tell who made it"}
        content = _content(descriptor, status.st_size, kind)
    except OSError as error:
        return {"fault": _reason(error)}
    except ValueError as error:
        return {"fault": str(error)}
    finally:
        os.close(descriptor)
    return {"uid": status.st_uid, "written_ns": status.st_mtime_ns, "content": content}


def _reason(error: OSError) -> str:
    return f"cannot be read: {os.strerror(error.errno or 0)}"


def _content(descriptor: int, size_bytes: int, kind: str) -> str:
    most = _MOST_BYTES[kind]
    if kind == "heartbeat":
        return _pid_of_last(os.pread(descriptor, most, max(0, size_bytes - most)))
    body = os.pread(descriptor, most + 1, 0)
    if len(body) > most:
        raise ValueError(f"is longer than {most} bytes")
    return body.decode("ascii", "replace")


def _pid_of_last(body: bytes) -> str:
    """The pid in a JSON object, or in the last whole line of several."""
    whole = body.rpartition(b"\n")[0] if not body.rstrip().endswith(b"}") else body
    for text in (body, whole.strip().rpartition(b"\n")[2]):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and type(found.get("pid")) is int:
            return str(found["pid"])
        break
    raise ValueError("names no pid")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read_claim(sys.argv[1], sys.argv[2])))
