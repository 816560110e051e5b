"""Every page there is, and who looks at it.

SPDX-License-Identifier: BSD-2-Clause
"""

from lab.world import SHOP
from stage import TARO

# name: user, address; {held} is the id of a held mail.
PAGES = {
    "sign in": (None, "/sign-in"),
    "overview": ("operator", "/overview"),
    "overview of a domain": ("shopkeeper", "/overview"),
    "overview of a mailbox": ("taro", "/overview"),
    "choose a domain": ("operator", "/quarantine"),
    "quarantine": ("operator", f"/quarantine?domain={SHOP}"),
    "quarantine of a mailbox": ("taro", "/quarantine"),
    "quarantine of a releaser": ("letgo", "/quarantine"),
    "quarantine, nothing": ("operator",
                            f"/quarantine?domain={SHOP}&subject=zzzz"),
    "held": ("operator", "/quarantine/{held}"),
    "held, to a releaser": ("letgo", "/quarantine/{held}"),
    "log": ("operator", "/log"),
    "log, a search that cannot be": ("operator", "/log?client=abc"),
    "log, one mail": ("operator", f"/log?recipient={TARO}"),
    "lists": ("operator", f"/lists?domain={SHOP}"),
    "lists of a mailbox": ("taro", "/lists"),
    "domains": ("operator", "/domains"),
    "domain": ("operator", f"/domains/{SHOP}"),
    "recipients": ("operator", f"/recipients?domain={SHOP}"),
    "recipient": ("operator", f"/recipients/show?address={TARO}"),
    "aliases": ("operator", f"/aliases?domain={SHOP}"),
    "resolve": ("operator", f"/resolve?address=info@{SHOP}"),
    "routes": ("operator", "/routes"),
    "route": ("operator", f"/routes/{SHOP}"),
    "sender records": ("operator", f"/auth?domain={SHOP}"),
    "reports": ("operator", "/reports"),
    "users": ("operator", "/users"),
    "user": ("operator", "/users/shopkeeper"),
    "system": ("operator", "/system"),
    "audit": ("operator", "/audit"),
    "password": ("operator", "/password"),
    "parts of pages": ("operator", "/style"),
    "not there": ("operator", "/nonsense"),
    "forbidden": ("taro", "/users"),
}
