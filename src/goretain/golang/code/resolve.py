"""From facts of single instructions to types of places.

A value that was loaded from a global or returned by a function has that global's or function's static type,
so evidence about where it comes from is evidence about where it goes.
Imports ``kernels``, ``golang.code`` modules and numpy.
"""

from __future__ import annotations

from collections.abc import Iterator

from goretain.golang.code.facts import Facts
from goretain.golang.code.places import FUNCTIONS, Places, is_data
from goretain.golang.code.records import TypeRecords
from goretain.golang.code.values import address_of, parts_of
from goretain.kernels import codevalues

Given = tuple[tuple[int, tuple[int, int]], ...]
FUNC, IFACE, VALUE = 16, 17, 18
_SHIFT = codevalues.SHIFT
_PAYLOAD = codevalues.PAYLOAD
_TYPED = (codevalues.POINTER, codevalues.MAP, codevalues.CHANNEL, codevalues.ELEMENTS)
_ROUNDS = 16
#: A place with evidence that disagrees.
_CONFLICT = -1
#: Numbers of types that have no record of their own, apart from addresses.
_FIRST_NUMBER = 1 << 47
#: Packages whose functions return memory of any type as unsafe.Pointer.
_UNTYPED = (
    "runtime.",
    "internal/runtime/",
    "runtime/internal/",
    "reflect.",
    "internal/reflectlite.",
    "sync.",
)


class Resolution:
    """Types of globals, functions' results, closures and slots of one module. They spread one way
    only, from where a value comes to where it goes: what a function returns may be an unsafe.Pointer, and one
    caller says nothing of another's.

    Attributes:
        reach, wholes: as Places has them.
        closures: address of code -> abi.Type of the closure object.
        given: number that stands for an abi.Type of generic code in what is yielded -> that type, and
            (offset, (kind, abi.Type)) of what stands where the shape of any pointer does.
    """

    def __init__(self, facts: Facts, code: codevalues.Code, names: list[str], records: TypeRecords) -> None:
        self._facts = facts
        self._names = names
        self._records = records
        self._generic = {row for row, name in enumerate(names) if name.startswith(_UNTYPED)}
        self._known: dict[int, int] = {}
        self._values: dict[int, int] = {}
        self._at = Places(facts, code, names, self._generic)
        self.reach, self.wholes = self._at.reach, self._at.wholes
        self._calls = {(value, row) for _, value, row in facts.of(codevalues.RECEIVER).tolist()}
        self.given: dict[int, tuple[int, Given]] = {}
        # Where types are stored: an interface's first word, or a variable of package reflect.
        self._type_words: set[int] = set()
        # Types that were allocated with another size than their own: arrays of them, not one.
        sized = facts.of(codevalues.SIZED).tolist()
        self._wrong_sizes = {t for _, t, size in sized if records.size(t) != size}
        self.closures = self._closures()
        self._gather()
        self._unbox()
        self._at.share(self._calls, lambda place: place in self._type_words or self._is_boxed(place))
        self._spread()
        self._fill_shapes()
        self._spread()

    def _put(self, table: dict[int, int], place: int, value: int) -> None:
        """Notes a value; two that differ are a conflict that stays. A type of the source says more than the
        shape that generic code has for it."""
        old = table.setdefault(place, value)
        if old in (value, _CONFLICT):
            return
        shapes = [self._records.is_shape(each & _PAYLOAD) for each in (old, value)]
        if shapes == [True, False] and old >> _SHIFT == value >> _SHIFT:
            table[place] = value
        elif shapes != [False, True] or old >> _SHIFT != value >> _SHIFT:
            table[place] = _CONFLICT

    # -- what can be believed

    def _closures(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for _, pc, t in self._facts.of(codevalues.CLOSURE).tolist():
            if self._records.is_closure(t) and t not in self._wrong_sizes:
                self._put(found, pc, t)
        return {pc: t for pc, t in found.items() if t != _CONFLICT}

    def _typed(self, value: int) -> int:
        """The value as evidence of a static type: kind << 48 | type, 0 for none."""
        kind, t = value >> _SHIFT, value & _PAYLOAD
        if kind not in _TYPED or not self._records.is_type(t):
            return 0
        if kind != codevalues.POINTER:
            return value
        if t in self._wrong_sizes:
            return 0
        element = self._records.array_element(t)
        if element:
            return codevalues.ELEMENTS << _SHIFT | element  # new([N]T) becomes a slice more often than not
        return FUNC << _SHIFT | t if self._records.is_closure(t) else value

    # -- gathering

    def _unbox(self) -> None:
        """What code finds in an interface by its type says nothing of what else stands there."""
        for place in [place for place in self._at.leads if self._is_boxed(place)]:
            del self._at.leads[place]
        for place in self._type_words & self._known.keys():
            if self._known[place] >> _SHIFT != IFACE:
                self._known[place] = _CONFLICT

    def _is_boxed(self, place: int) -> bool:
        """Whether the word is an interface's second one, by what the code does with the one before it."""
        before = self._at.before(place)
        return before in self._type_words or self._known.get(before, _CONFLICT) >> _SHIFT == IFACE

    def _gather(self) -> None:
        for _, value, address in self._facts.of(codevalues.TESTED).tolist():
            if self._records.dynamic_type(address) and self._at.source(value):
                self._type_words.add(self._at.source(value))
        stored = [(self._at.spot(at), value) for _, at, value in self._facts.of(codevalues.STORED).tolist()]
        for place, value in [(place, value) for place, value in stored if place]:
            if value >> _SHIFT != codevalues.ADDRESS:
                self._tell(place, value)
            elif self._records.interface_of(value & _PAYLOAD):
                self._put(self._known, place, IFACE << _SHIFT | self._records.interface_of(value & _PAYLOAD))
            elif self._records.is_type(value & _PAYLOAD):
                self._type_words.add(place)
        for row, _, value in self._facts.of(codevalues.RETURNS).tolist():
            self._tell(FUNCTIONS + row, value)
        for _, value, t in self._facts.of(codevalues.IS).tolist():
            place, typed = self._at.source(value), self._typed(t)
            if place and typed:
                self._put(self._known, place, typed)
        self._gather_boxed()
        for _, place, t in self._facts.of(codevalues.HOLDS).tolist():
            self._put_value(self._at.spot(place), t)

    def _put_value(self, place: int, t: int) -> None:
        """A value of a type begins at a place; those of no size all begin at runtime.zerobase."""
        if place and self._records.is_type(t) and self._records.size(t) > 0:
            self._values.setdefault(place, t)

    def _gather_boxed(self) -> None:
        """Globals that interfaces were made from: their type, or that of what a pointer to them points to."""
        boxed = self._facts.of(codevalues.INTERFACE)
        # Functions of the runtime take types as words of their own. Where it cannot be told by names which
        # those are, only itabs are known to be an interface's.
        trusted = bool(self._generic)
        for value, word in {(value, word) for _, value, word in boxed.tolist()}:
            believed = trusted or self._records.interface_of(word)
            t = self._records.dynamic_type(word) if believed else 0
            kind = self._records.kind(t)
            element = self._records.pointer_element(t) if kind == "ptr" else 0
            place, held = self._at.of(value)
            if not held:
                self._put_value(place, element)
                continue
            made = {"ptr": (codevalues.POINTER, element), "map": (codevalues.MAP, t)}
            number, said = made.get(kind, (codevalues.CHANNEL, t))
            typed = self._typed(number << _SHIFT | said) if kind else 0
            if place and typed:
                self._put(self._known, place, typed)

    def _tell(self, place: int, value: int) -> None:
        """One value that a place held."""
        typed = self._typed(value)
        if typed:
            self._put(self._known, place, typed)
            return
        source = self._at.source(value)
        if source:
            self._at.lead(source, place)

    def _spread(self) -> None:
        """Carries types on from known places to those that nothing is known of."""
        fresh = list(self._known)
        for _ in range(_ROUNDS):
            found: dict[int, int] = {}
            for place in fresh:
                value = self._known[place]
                for other in self._at.leads.get(place, ()) if value != _CONFLICT else ():
                    if other not in self._known:
                        self._put(found, other, value)
            if not found:
                return
            self._known |= found
            fresh = list(found)

    def _fill_shapes(self) -> None:
        """What generic code made for any pointer, by what was stored into it: Go's types are static, so all
        that ever stands there is of the same type."""
        stored: dict[tuple[int, int], set[int]] = {}
        for _, place, value in self._facts.of(codevalues.FIELD).tolist():
            known = self._typed(value) or self._known.get(self._at.source(value), _CONFLICT)
            if known >> _SHIFT in _TYPED:
                stored.setdefault((place & _PAYLOAD, (place >> _SHIFT) * 8), set()).add(known)
        numbers: dict[tuple[int, Given], int] = {}
        for _, site, t in self._facts.of(codevalues.GIVEN).tolist():
            found = [(at, stored.get((site, at), set())) for at in self._records.open_pointers(t)]
            given = tuple((at, parts_of(*values)) for at, values in found if len(values) == 1)
            number = numbers.setdefault((t, given), _FIRST_NUMBER + len(numbers)) if given else t
            self.given[number] = (t, given)
            self._put(self._known, self._at.call(site), codevalues.POINTER << _SHIFT | number)

    # -- results

    def globals(self) -> Iterator[tuple[int, int, int, int]]:
        """(data address, bytes to the next element, 0 where it is none of an array, kind, abi.Type) of each
        global that something is known of."""
        for place, value in sorted(self._known.items()):
            if value != _CONFLICT and is_data(place) and not self._is_data_word(place):
                yield *address_of(place), value >> _SHIFT, value & _PAYLOAD
        for place, t in sorted(self._values.items()):
            if place not in self._known and is_data(place):
                yield *address_of(place), VALUE, t

    def behind(self) -> Iterator[tuple[int, tuple[int, ...], int, int]]:
        """(data address of a pointer, offsets to what lies behind it, kind, abi.Type) of what is known of
        places that pointers of no known type lead to."""
        told = [(place, value) for place, value in self._known.items() if value != _CONFLICT]
        told += [
            (place, VALUE << _SHIFT | t) for place, t in self._values.items() if place not in self._known
        ]
        for place, value in sorted(told):
            begin, path = self._route(place)
            if path:
                yield begin, path, *parts_of(value)

    def _route(self, place: int) -> tuple[int, tuple[int, ...]]:
        """Data address, or that of elements, and offsets behind the pointer there to a place; 0 where one of
        the pointers has a known type, may be an interface's, or the first is not in data."""
        paths = self._at.paths
        begin, offsets = paths.chain(place)
        if not is_data(begin) or (offsets and (begin in self._known or self._is_data_word(begin))):
            return 0, ()
        at = begin
        for i, offset in enumerate(offsets):
            if i and at in self._known:
                return 0, ()
            at = paths.behind[at][offset]
            if self._is_boxed(at):
                return 0, ()
        return begin, offsets

    def _is_data_word(self, place: int) -> bool:
        """Whether the word is an interface's second one, by what is stored before it or stands there now.

        What stands behind an itab begins nothing: a reflect.Type is an itab, and then a type record as data.
        """
        before = place - 8
        if self._holds_itab(before - 8):
            return False
        here = before & _PAYLOAD
        return self._holds_itab(before) or before in self._type_words or self._records.begins_interface(here)

    def _holds_itab(self, place: int) -> bool:
        """Whether itabs are stored at a place, or one stands there now."""
        stored = self._known.get(place, _CONFLICT) >> _SHIFT == IFACE
        return stored or self._records.holds_itab(place & _PAYLOAD)

    def receivers(self) -> Iterator[tuple[int, int, tuple[int, ...], bool, int, int]]:
        """(data address, bytes to the next element or 0, offsets behind the pointer there, whether the word
        there is the pointer, row of the method, abi.Type of what it points to where a dictionary names
        it, else 0), each once."""
        dictionaries: dict[int, set[int]] = {}
        for _, value, dictionary in self._facts.of(codevalues.DICTIONARY).tolist():
            dictionaries.setdefault(value, set()).add(dictionary)
        given: dict[tuple[int, bool, int], set[int]] = {}
        for value, row in sorted(self._calls):
            place, held = self._at.of(value)
            given.setdefault((place, held, row), set()).update(dictionaries.get(value, ()))
        for (place, held, row), named in given.items():
            begin, path = self._route(place)
            if begin and (not held or path or not self._is_data_word(begin)):
                yield *address_of(begin), path, held, row, self._records.instance(named, self._names[row])

    def slots(self) -> Iterator[tuple[int, int, int, int]]:
        """(function row, offset from the CFA, kind, abi.Type); kind ARGUMENT: the receiver; kind IFACE: the
        first word of an interface whose type is not told, 0."""
        said: set[tuple[int, int]] = set()
        for function, offset, value in self._facts.of(codevalues.SLOT).tolist():
            said.add((function, offset))
            if value >> _SHIFT == codevalues.ARGUMENT:
                yield function, offset, codevalues.ARGUMENT, 0
                continue
            known = self._typed(value) or self._known.get(self._at.source(value), _CONFLICT)
            if known > 0 and known >> _SHIFT < IFACE:
                yield function, offset, known >> _SHIFT, known & _PAYLOAD
        for function, offset, _ in self._facts.of(codevalues.BOXED).tolist():
            if not {(function, offset), (function, offset + 8)} & said:
                yield function, offset, IFACE, 0
