/* Texts at: in which text of a MessagePack stream a place lies, and what that text is there.

   A text is the content of a string, of bytes, or of one of the extension types that hold text.
   The other extension types hold MessagePack themselves (a tuple is an array): they are walked
   through. Hostile input ends in ValueError; nothing is read past the end. */
#include "texts_at.h"

enum { PLAIN, KEY, FIRST }; /* roles: anything; a map's key; a pair's first in a list of pairs */

static Py_ssize_t
number(Walk *walk, int bytes)
{
    Py_ssize_t value = 0;
    if (walk->end - walk->place < bytes) {
        walk->wrong = "it ends early";
        return 0;
    }
    for (int n = 0; n < bytes; n++) {
        value = value << 8 | walk->data[walk->place++];
    }
    return value;
}

static int
role(const Walk *walk)
{
    if (walk->depth == 0) {
        return PLAIN;
    }
    const Level *level = &walk->levels[walk->depth - 1];
    if (level->map) {
        return level->left % 2 == 0 ? KEY : PLAIN;
    }
    if (level->size == 2 && level->left == 2 && walk->depth > 1) {
        const Level *above = &walk->levels[walk->depth - 2];
        return !above->map && !above->wrapped && !above->mixed ? FIRST : PLAIN;
    }
    return PLAIN;
}

static void
value_ended(Walk *walk)
{
    while (walk->depth > 0 && --walk->levels[walk->depth - 1].left == 0) {
        walk->depth--;
    }
}

static void
container(Walk *walk, Py_ssize_t size, int map)
{
    int wrapped = walk->wraps;
    walk->wraps = 0;
    if (walk->depth > 0 && (map || size != 2)) {
        walk->levels[walk->depth - 1].mixed = 1;
    }
    if (size == 0) {
        value_ended(walk);
        return;
    }
    if (walk->depth == WALK_DEPTH) {
        walk->wrong = "it is nested too deep";
        return;
    }
    walk->levels[walk->depth++] = (Level){map ? size * 2 : size, size, map, wrapped, 0};
}

/* Returns 1 with the bounds of a text, 0 for anything else. */
static int
step(Walk *walk, Py_ssize_t *begin, Py_ssize_t *finish, int *what)
{
    static const signed char fixed[] = {1, 2, 4, 8, 16};
    unsigned char head = walk->data[walk->place++];
    Py_ssize_t size = -1, skip = 0;
    if (head <= 0x7f || head >= 0xe0 || (head >= 0xc0 && head <= 0xc3)) {
        skip = 0;
    }
    else if (head <= 0x8f) {
        container(walk, head & 0x0f, 1);
        return 0;
    }
    else if (head <= 0x9f) {
        container(walk, head & 0x0f, 0);
        return 0;
    }
    else if (head <= 0xbf) {
        size = head & 0x1f;
    }
    else if (head <= 0xc6) {
        size = number(walk, 1 << (head - 0xc4));
    }
    else if (head <= 0xc9 || (head >= 0xd4 && head <= 0xd8)) {
        Py_ssize_t length = head <= 0xc9 ? number(walk, 1 << (head - 0xc7)) : fixed[head - 0xd4];
        int code = (int)number(walk, 1);
        if (code == 5 || code == 13 || code == 14) {
            size = length;
        }
        else if (code == 4 || code == 6) {
            skip = length;
        }
        else {
            walk->wraps = 1;
            return 0;
        }
    }
    else if (head == 0xca || head == 0xcb) {
        skip = head == 0xca ? 4 : 8;
    }
    else if (head <= 0xd3) {
        skip = 1 << ((head - 0xcc) & 3);
    }
    else if (head <= 0xdb) {
        size = number(walk, 1 << (head - 0xd9));
    }
    else {
        container(walk, number(walk, head & 1 ? 4 : 2), head >= 0xde);
        return 0;
    }
    if (walk->wrong != NULL || walk->end - walk->place < (size < 0 ? skip : size)) {
        walk->wrong = "it ends early";
        return 0;
    }
    walk->wraps = 0;
    *what = role(walk);
    if (walk->depth > 0) {
        walk->levels[walk->depth - 1].mixed = 1;
    }
    if (size < 0) {
        walk->place += skip;
        value_ended(walk);
        return 0;
    }
    *begin = walk->place;
    *finish = walk->place += size;
    value_ended(walk);
    return 1;
}

void
walk_begin(Walk *walk, const unsigned char *data, Py_ssize_t begin, Py_ssize_t end)
{
    walk->data = data;
    walk->place = begin;
    walk->end = end;
    walk->depth = walk->wraps = 0;
    walk->wrong = NULL;
}

int
walk_next(Walk *walk, Text *text)
{
    int found = 0;
    text->role = PLAIN;
    while (walk->wrong == NULL && walk->place < walk->end && !found) {
        found = step(walk, &text->begin, &text->end, &text->role);
    }
    if (walk->wrong != NULL) {
        PyErr_Format(PyExc_ValueError, "no MessagePack at byte %zd: %s", walk->place, walk->wrong);
        return -1;
    }
    return found;
}

static PyObject *
answer_of(const Text *text)
{
    return Py_BuildValue("(nni)", text->begin, text->end, text->role);
}

int
append_new(PyObject *list, PyObject *item)
{
    int failed = item == NULL || PyList_Append(list, item) < 0;
    Py_XDECREF(item);
    return failed ? -1 : 0;
}

static int
all_texts(Walk *walk, PyObject *found)
{
    Text text;
    int more;
    while ((more = walk_next(walk, &text)) > 0) {
        if (append_new(found, answer_of(&text)) < 0) {
            return -1;
        }
    }
    return more;
}

static int
texts_of(Walk *walk, PyObject *places, PyObject *found)
{
    Text text = {0};
    Py_ssize_t count = PyList_GET_SIZE(places);
    for (Py_ssize_t asked = 0, more = 1; asked < count; asked++) {
        Py_ssize_t place = PyLong_AsSsize_t(PyList_GET_ITEM(places, asked));
        if (place == -1 && PyErr_Occurred()) {
            return -1;
        }
        while (more && place >= text.end) {
            more = walk_next(walk, &text);
            if (more < 0) {
                return -1;
            }
        }
        int inside = more && place >= text.begin;
        if (append_new(found, inside ? answer_of(&text) : Py_NewRef(Py_None)) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
texts_at(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer data;
    Py_ssize_t first, end;
    PyObject *places;
    if (!PyArg_ParseTuple(args, "y*nnO", &data, &first, &end, &places)) {
        return NULL;
    }
    PyObject *found = NULL;
    Walk walk;
    if (places != Py_None && !PyList_Check(places)) {
        PyErr_SetString(PyExc_TypeError, "places are a list, or None");
    }
    else if (first < 0 || end > data.len || first > end) {
        PyErr_SetString(PyExc_ValueError, "no MessagePack: it is not there");
    }
    else if ((found = PyList_New(0)) != NULL) {
        walk_begin(&walk, data.buf, first, end);
        if ((places == Py_None ? all_texts(&walk, found) : texts_of(&walk, places, found)) < 0) {
            Py_CLEAR(found);
        }
    }
    PyBuffer_Release(&data);
    return found;
}

PyMethodDef texts_at_functions[] = {
    {"texts_at", texts_at, METH_VARARGS,
     "texts_at(data, begin, end, places): for each place, in order, the (begin, end, role) of the\n"
     "text of data[begin:end], a stream of MessagePack, that it lies in, or None for no text.\n"
     "With None for the places: all texts.\n\n"
     "Role: 1 a map's key, 2 the first of a pair in a list of pairs, 0 anything else. ValueError: it is\n"
     "no MessagePack."},
    {NULL, NULL, 0, NULL},
};
