"""Handlers that no page should survive, made from a seed: each a way to go wrong, in one way to be written."""

import random
import textwrap
from collections.abc import Callable
from typing import NamedTuple

LIMIT = 50
"""The time limit of hostile handlers, in milliseconds."""


class Hostile(NamedTuple):
    """One of them."""

    url: str
    family: str
    source: str
    first: int
    last: int
    """Its lines in the route file."""


# `n` is a number that differs from handler to handler. Each of these would run for minutes at least.
LOOPS = """
while True: pass
---
while {n}:
    x = {n} * 2
---
for i in itertools.count({n}): pass
---
for i in itertools.cycle([{n}, 2]):
    continue
---
for i in itertools.repeat({n}):
    for j in itertools.count(): pass
---
[i for i in itertools.count({n})]
---
{i: 0 for i in itertools.repeat({n})}
---
deque((i for i in itertools.count({n})), maxlen=0)
---
next(i for i in itertools.count({n}) if i < 0)
---
x = {n}
while x != 1.5: x = x + 1
---
def inner():
    while True:
        yield {n}
for x in inner(): pass
---
def ping(): return pong
def pong(): return ping
f = ping
while True: f = f()
---
class Endless:
    def __iter__(self): return self
    def __next__(self): return {n}
list(map(id, Endless()))
---
class Endless:
    def __getitem__(self, at): return {n}
for x in Endless(): pass
---
@contextmanager
def stays():
    while True:
        try: yield
        except BaseException: pass
while True:
    with stays():
        while True: pass
---
exec("while True: pass")
---
eval("[0 for i in itertools.count({n})]")
---
iter(lambda: {n}, None).__length_hint__ if False else list(iter(lambda: {n}, None))
---
functools.reduce(lambda a, b: b, itertools.count({n}))
---
class Eager:
    def __del__(self):
        while True: pass
while True: Eager()
---
sorted([{n}, 2, 3], key=lambda x: [0 for i in itertools.count()])
---
class Evil:
    def __lt__(self, other):
        while True: pass
sorted([Evil(), Evil()])
---
class Evil:
    def __hash__(self): return {n}
    def __eq__(self, other): return False
set(Evil() for i in range(10**6))
---
json.loads('[' + '{n},' * 10**6 + '1]'); json.dumps(list(iter(lambda: {n}, None)))
---
match {n}:
    case x:
        while x: x += 1
---
"%s" % "".join(str(i) for i in itertools.count({n}))
"""

IN_C = """
sum(itertools.count({n}))
---
max(range(10**12 + {n}))
---
min(itertools.repeat({n}))
---
any(itertools.repeat(0))
---
all(itertools.repeat({n}))
---
"a" in itertools.repeat("b{n}")
---
{n} in itertools.cycle([0, -1])
---
list(itertools.count({n}))
---
set(itertools.repeat({n}))
---
dict.fromkeys(itertools.cycle([{n}]))
---
deque(itertools.count({n}), maxlen=0)
---
deque(itertools.permutations(range(20)), maxlen={n})
---
deque(itertools.product(range({n}), repeat=12), maxlen=0)
---
sum(1 for _ in itertools.combinations(range(90 + {n} % 7), 40))
---
all(zip(itertools.count({n}), itertools.count()))
---
any(map(operator.not_, itertools.repeat({n})))
---
list(filter(None, itertools.repeat(0)))
---
list(itertools.filterfalse(bool, itertools.repeat({n})))
---
next(itertools.dropwhile(bool, itertools.repeat({n})))
---
list(iter(int, {n}))
---
operator.countOf(itertools.repeat({n}), 1)
---
operator.indexOf(itertools.repeat({n}), 0)
---
"".join(itertools.repeat("x"))
---
bytes(itertools.repeat(1))
---
max(itertools.chain.from_iterable(itertools.repeat(())))
---
sum(itertools.islice(itertools.count({n}), 10**9))
---
deque(itertools.accumulate(itertools.repeat({n} % 2)), maxlen=0)
---
{n} ** 10 ** 8
---
10 ** (10 ** 8 + {n})
---
pow(3, 10**7 + {n})
---
math.factorial(10**6 + {n})
---
math.comb(10**7 + {n}, 10**6)
---
sys.set_int_max_str_digits(0); str({n} ** 10**6)
---
{n} % 10**9 in range(0) or sum(range(10**11))
---
set([i * (2**31 - 1) for i in range({n} % 100 + 7000)] * 40) and sum(itertools.count())
"""

PATTERNS = r"""
(a+)+$
---
(a|a)*$
---
(a|aa)+$
---
(a*)*$
---
([a-z]+)*\d$
---
(.*a){25}$
---
(x+x+)+y
---
((a+)(a+))+$
---
^(([a-z])+.)+[A-Z]([a-z])+$
---
(?:a?){30}a{30}$
---
(\w+\s?)+!$
---
(?=(a+)+$)b
---
((?:a|b|ab)*)*c
"""

SLEEPS = """
time.sleep({n})
---
nap({n})
---
from time import sleep as wait
wait({n})
---
while True: time.sleep(0.001)
---
while True: nap(0)
---
try: time.sleep({n})
finally: time.sleep({n})
---
end = time.monotonic() + {n}
while time.monotonic() < end: pass
---
while datetime.now().year < 3000: pass
---
map(time.sleep, [{n}]).__next__()
---
[time.sleep(0.01) for i in range(10**6)]
"""

# Ends by itself, with an exception.
DEEP = """
def deeper(n): return deeper(n + {n})
deeper(0)
---
sys.setrecursionlimit(10**6)
def deeper(n): return deeper(n + {n})
deeper(0)
---
class Deep:
    @property
    def x(self): return self.x
Deep().x
---
class Deep:
    def __repr__(self): return repr(self)
repr(Deep())
---
class Deep:
    def __eq__(self, other): return other == self
Deep() == Deep()
---
class Deep:
    def __getattr__(self, name): return getattr(self, name + "{n}"[:1])
Deep().x
---
class Deep:
    def __add__(self, other): return other + self
Deep() + Deep()
---
class Deep:
    def __str__(self): return f"{self}"
str(Deep())
---
class Deep:
    def __call__(self): return self()
Deep()()
---
class Deep:
    def __hash__(self): return hash(self)
{Deep(): {n}}
---
class Deep:
    def __len__(self): return len(self)
len(Deep())
---
class Deep:
    def __bool__(self): return bool(self)
bool(Deep())
---
class Deep:
    def __iter__(self): return iter(self)
list(Deep())
---
class Deep:
    def __init__(self): Deep()
Deep()
---
class Deep:
    def __lt__(self, other): return sorted([self, other])
sorted([Deep(), Deep()])
---
def deeper(x): return sorted([1, 2], key=deeper)
deeper({n})
---
def deeper(x): return list(map(deeper, [x]))
deeper({n})
---
def deeper(x): return max([1, 2], key=deeper)
deeper({n})
---
def deeper(match): return re.sub("a", deeper, "a")
re.sub("a", deeper, "a")
---
def deeper(): yield from deeper()
list(deeper())
---
deeper = lambda: functools.partial(deeper)()()
deeper()
---
@functools.lru_cache
def deeper(n): return deeper(n + 1)
deeper({n})
---
x = []
for i in range({n} * 50 + 9000): x = [x]
x == [x]; json.dumps(x)
---
x = {}
for i in range({n} * 50 + 9000): x = {"x": x}
return x
---
x = ()
for i in range({n} * 50 + 9000): x = (x,)
del x
1 / 0
---
x = None
for i in range({n} * 50 + 9000): x = functools.partial(print, x)
del x
1 / 0
---
class Node: pass
x = None
for i in range({n} * 50 + 9000):
    node = Node(); node.next = x; x = node
x = node = None
1 / 0
---
x = iter([])
for i in range({n} * 50 + 9000): x = itertools.chain(x)
del x
1 / 0
---
error = None
for i in range({n} * 50 + 9000):
    new = ValueError({n}); new.__context__ = error; error = new
del new, error
1 / 0
---
x = lambda: None
for i in range({n} * 50 + 9000): x = (lambda x: lambda: x)(x)
del x
1 / 0
---
x = []
for i in range({n} * 10 + 5000): x = [x]
copy.deepcopy(x)
---
json.loads("[" * 100_000 + "]" * 100_000)
---
json.loads('{"a":' * 100_000)
---
eval("(" * 5000 + ")" * 5000)
---
eval("[" * {n} + "]" * {n} + "-" * 100_000 + "1")
---
compile("x" + ".x" * 50_000 + "=", "deep", "exec")
---
exec("if 1:\\n" + "".join(" " * i + "if 1:\\n" for i in range(1, 200)))
---
re.compile("(" * 3000 + ")" * 3000)
---
isinstance(1, functools.reduce(lambda t, _: (t,), range(100_000), ())) or 1 / 0
---
x = []
x.append(x)
return x
"""

GIANTS = """
[0] * 10**9
---
[{n}] * 10**8
---
x = []
while True: x.append("{n}" * 1000)
---
x = [1]
while True: x += x
---
x = {}
while True: x[len(x)] = [0] * {n}
---
bytes(10**9 + {n})
---
bytearray(10**9)
---
bytearray(2**31 - {n})
---
"ab" * (10**9 + {n})
---
list(range(10**9))
---
list(range(10**8, 0, -1))
---
set(range(10**8))
---
tuple(range(10**8 + {n}))
---
deque(range(10**8))
---
dict.fromkeys(range(10**8))
---
[[0] * 1000 for i in range(10**7)]
---
"a".replace("a", "b" * 10**8) * {n}
---
"{n}".ljust(10**9)
---
"%1000000000d" % {n}
---
f"{{n}:>1000000000}"
---
x = array.array("d", [0]) * 10**9
---
b"".join([b"x" * 10**7] * 100)
---
io.BytesIO().truncate(10**9) and io.BytesIO(bytes(10**9))
---
1 << (8 * 10**9 + {n})
---
int.from_bytes(bytes(10**9 + {n}))
---
x = [[]]
for y in x: x.append(y + [{n}])
---
memoryview(bytes(10**9)).tolist()
---
range(10**30)[:].__reversed__().__length_hint__() or list(range(10**30))
---
list(itertools.permutations(range(20)))
---
list(itertools.product(range(100), repeat=5))
---
" ".join(str(i) for i in range(10**8))
"""

# What would break whoever comes next. Each then fails, or loops.
PATCHES = """
builtins.len = None
---
builtins.isinstance = lambda *args: {n}
---
builtins.type = None
---
builtins.print = builtins.str = None
---
builtins.dict = builtins.list = builtins.tuple = None
---
builtins.hasattr = builtins.getattr = builtins.setattr = None
---
builtins.BaseException = builtins.Exception = None
---
builtins.KeyboardInterrupt = builtins.GeneratorExit = builtins.StopIteration = {n}
---
builtins.__import__ = None
---
builtins.open = None
---
builtins.__build_class__ = None
---
builtins.super = builtins.property = None
---
builtins.callable = lambda x: False
---
builtins.next = builtins.iter = None
---
builtins.min = builtins.max = builtins.sum = None
---
del builtins.len
---
del builtins.isinstance, builtins.next, builtins.str
---
del builtins.BaseException
---
vars(builtins).clear()
---
for name in list(vars(builtins)): setattr(builtins, name, None)
---
sys.modules.clear()
---
del sys.modules["json"], sys.modules["traceback"]
---
for name in list(sys.modules): sys.modules.pop(name)
---
sys.modules["linecache"] = None
---
json.dumps = None
---
json.loads = lambda text: {n}
---
json.JSONEncoder = json.encoder.JSONEncoder = None
---
time.perf_counter = lambda: 0
---
time.perf_counter = time.sleep = time.monotonic = time.time = None
---
traceback.format_exception = traceback.walk_tb = None
---
linecache.getline = None
---
linecache.cache.clear()
---
asyncio.sleep = asyncio.ensure_future = asyncio.current_task = None
---
asyncio.get_running_loop = asyncio.get_event_loop = None
---
asyncio.get_event_loop().stop()
---
asyncio.set_event_loop(None)
---
re.compile = re.fullmatch = None
---
sys.settrace(lambda *args: None)
---
sys.setprofile(lambda *args: 1 / 0)
---
sys.setrecursionlimit(10**6)
---
sys.setrecursionlimit(60 + {n})
---
sys.stdout = sys.stderr = None
---
sys.stdout = sys.stderr = 3
---
sys.excepthook = sys.unraisablehook = None
---
sys.exc_info = sys.exception = None
---
sys.exit = None
---
gc.disable()
---
gc.set_threshold(1); gc.freeze()
---
os.getcwd = os.path = None
---
sys.path.clear(); sys.meta_path.clear(); sys.path_hooks.clear()
---
sys.monitoring.free_tool_id(4)
---
for tool in range(6): sys.monitoring.get_tool(tool) or sys.monitoring.use_tool_id(tool, "mine")
---
sys.set_int_max_str_digits(0)
---
warnings.simplefilter("error")
---
signal.signal(signal.SIGINT, signal.SIG_IGN)
---
signal.signal(signal.SIGINT, lambda *args: None)
---
signal.raise_signal(signal.SIGINT)
---
os._exit({n})
---
os.abort()
---
os.kill(os.getpid(), 9)
---
sys.exit({n})
---
raise SystemExit
---
raise KeyboardInterrupt
---
raise GeneratorExit
---
raise asyncio.CancelledError
---
raise BaseException({n})
---
raise StopIteration({n})
---
raise StopAsyncIteration
---
raise MemoryError
---
raise RecursionError
---
raise SystemError
---
class Untold(BaseException):
    def __str__(self): raise self
raise Untold
---
class Untold(Exception):
    def __str__(self):
        while True: pass
raise Untold
---
class Untold(Exception):
    def __getattribute__(self, name): raise self
raise Untold
---
class Untold(Exception): __str__ = None
raise Untold
---
raise ExceptionGroup("{n}", [ExceptionGroup("x", [ValueError()])])
---
raise ValueError("\\ud800\\x00" * {n})
---
sys.tracebacklimit = 0
---
threading.Thread(target=print).start()
---
lock = threading.Lock(); lock.acquire(); lock.acquire()
---
queue.Queue().get()
---
subprocess.run(["true"])
---
open("/dev/stdin").read(); open("/nowhere/{n}")
---
os.fork()
---
class Meta(type):
    def __instancecheck__(cls, x): raise {n}
return Meta("X", (), {})()
---
class Odd(dict):
    def items(self):
        while True: pass
return Odd({"a": {n}})
---
class Odd(list):
    def __iter__(self):
        while True: yield {n}
return Odd([1])
---
class Odd:
    def __await__(self):
        while True: yield
return [Odd()]
---
return {"a": {n}, "b": object()}
---
return {"a": {1, 2, {n}}}
---
return float("nan")
---
return [b"{n}"]
---
return {(1, 2): {n}}
"""

THEN = ("1 / 0", "raise ValueError({n})", "while True: pass", "nowhere", "sum(itertools.count())", "return object()")


def ways(text: str) -> list[str]:
    return [way.strip("\n") for way in text.strip("\n").split("\n---\n")]


def patterns(rng: random.Random) -> list[str]:
    finds = ("match", "fullmatch", "search", "findall", "sub")
    bodies = []
    for pattern in ways(PATTERNS):
        letter = "x" if "x" in pattern else "a"
        find = rng.choice(finds)
        last = ", '', text" if find == "sub" else ", text"
        bodies.append(f"text = {letter!r} * (60 + {{n}}) + '?!'\nre.{find}({pattern!r}{last})")
    return bodies


def indent(text: str, by: int = 1) -> str:
    return textwrap.indent(text, "    " * by)


# How a handler is written: from its name, and what it does, to source that leaves a handler of that name.
def plain(name: str, body: str) -> str:
    return f"def {name}():\n{indent(body)}"


def asynchronous(name: str, body: str) -> str:
    return f"async def {name}():\n    await asyncio.sleep(0)\n{indent(body)}"


def at_once(name: str, body: str) -> str:
    return f"async def {name}():\n{indent(body)}"


def streamed(name: str, body: str) -> str:
    return f"def {name}():\n    yield 'a'\n{indent(body)}"


def streamed_later(name: str, body: str) -> str:
    return f"async def {name}():\n    yield 'a'\n    await asyncio.sleep(0)\n{indent(body)}"


def in_a_stack(name: str, body: str) -> str:
    return f"def {name}(context):\n{indent(body)}\n{name} = [lambda context: None, {name}, {name}]"


def in_a_method(name: str, body: str) -> str:
    return f"class {name}:\n    def __call__(self):\n{indent(body, 2)}\n{name} = {name}().__call__"


def inside(name: str, body: str) -> str:
    return f"def {name}():\n    def inner():\n{indent(body, 2)}\n    return inner()"


def insists(name: str, body: str) -> str:
    return f"def {name}():\n    while True:\n        try:\n{indent(body, 3)}\n        except BaseException: pass"


def insists_at_the_end(name: str, body: str) -> str:
    return f"def {name}():\n    try:\n{indent(body, 2)}\n    finally:\n        while True: pass"


def does_it_again(name: str, body: str) -> str:
    return (
        f"def {name}():\n    try:\n{indent(body, 2)}\n    except BaseException:\n{indent(body, 2)}\n    finally:\n"
        + indent(body, 2)
    )


def returns_all_the_same(name: str, body: str) -> str:
    return f"def {name}():\n    try:\n{indent(body, 2)}\n    finally:\n        return {{'fine': True}}"


Way = Callable[[str, str], str]
ANY: tuple[Way, ...] = (plain, asynchronous, at_once, streamed, streamed_later, in_a_stack, in_a_method, inside)
STUBBORN: tuple[Way, ...] = (insists, insists_at_the_end, does_it_again, returns_all_the_same)
GENERATORS = (streamed, streamed_later)

HEAD = f"""import array, asyncio, builtins, copy, functools, gc, io, itertools, json, linecache, math, operator, os
import queue, re, signal, subprocess, sys, threading, time, traceback, warnings
from collections import deque
from contextlib import contextmanager
from datetime import datetime
from time import sleep as nap
from fauxserver import FauxServer

server, fine = FauxServer(time_limit={LIMIT}), FauxServer()

@fine.get("good/:n")
def good(n):
    return {{"good": [n, len(n), isinstance(n, str), json.loads("1"), repr(sys.modules["json"])[:8]]}}
"""


def generate(seed: int, count: int) -> tuple[str, list[Hostile]]:
    """A route file of *count* hostile handlers, and what there is to know of each."""
    rng = random.Random(seed)
    families: dict[str, tuple[list[str], tuple[Way, ...]]] = {
        "loops": (ways(LOOPS), ANY + STUBBORN),
        "loops in C": (ways(IN_C), ANY + STUBBORN),
        "regular expressions": (patterns(rng), ANY + STUBBORN),
        "sleeps": (ways(SLEEPS), ANY + STUBBORN),
        "deep recursion": (ways(DEEP), ANY),
        "giants": (ways(GIANTS), ANY),
        "patches": (ways(PATCHES), ANY),
    }
    every = [(family, body, way) for family, (bodies, how) in families.items() for body in bodies for way in how]
    rng.shuffle(every)
    lines = HEAD.splitlines()
    made: list[Hostile] = []
    for family, body, way in every:
        if len(made) == count:
            break
        n = rng.randint(2, 99)
        body = body.replace("{n}", str(n))
        if way in GENERATORS and "return " in body:
            continue
        if family in ("deep recursion", "giants"):
            body += "\n1 / 0"
        elif family == "patches":
            body += "\n" + rng.choice(THEN[:-1] if way in GENERATORS else THEN).replace("{n}", str(n))
        name = f"hostile_{len(made)}"
        source = way(name, body)
        first = len(lines) + 1
        lines += source.splitlines()
        made.append(Hostile(f"hostile/{len(made)}", family, source, first, len(lines)))
        lines += [f'server.get("hostile/{len(made) - 1}", {name})', ""]
    return "\n".join(lines) + "\n", made
