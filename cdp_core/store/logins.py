"""What the operating system knows of people: who runs this process, who has a login, and their groups.

Groups are those of the system's own list, which may come from a directory (LDAP, Active Directory): whoever
it takes out of a group is out, though a session of theirs is still open.
"""

from __future__ import annotations

import getpass
import os


def login() -> str:
    """The operating system's name for who runs this process; the environment could be set by anyone."""
    try:
        import pwd
    except ImportError:  # Windows has no password database
        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without an entry
        return str(os.getuid())


def is_login(person: str) -> bool:
    """Whether the operating system knows somebody of that name; so taken where it cannot be asked."""
    try:
        import pwd
    except ImportError:  # Windows has no password database
        return True
    try:
        pwd.getpwnam(person)
    except KeyError:
        return person.isdecimal()  # a container's user without an entry
    return True


def groups_of(person: str) -> frozenset[str]:
    """The groups that a person is in, by their names; none where there is no such login, or no groups."""
    try:
        import grp
        import pwd
    except ImportError:  # Windows
        return frozenset()
    try:
        entry = pwd.getpwnam(person)
    except KeyError:
        return frozenset()
    found = set()
    for gid in os.getgrouplist(entry.pw_name, entry.pw_gid):
        try:
            found.add(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue
    return frozenset(found)


def is_group(name: str) -> bool:
    """Whether this machine knows a group of that name."""
    try:
        import grp
    except ImportError:  # Windows
        return False
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
