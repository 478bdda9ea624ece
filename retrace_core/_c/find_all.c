/* Find all: where any of many texts stand in a piece of memory, in one pass.

   A bit for each pair of first bytes says whether a text begins so; only there the texts with
   that first byte are compared. What is looked for is built at each call: that costs less than
   a microsecond for a hundred texts. */
#include "find_all.h"

#include <string.h>

typedef struct {
    const unsigned char *text;
    Py_ssize_t size;
    int next; /* the next text with the same first byte, -1 after the last */
} Needle;

static unsigned char
folded(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + 32) : byte;
}

static int
stands_at(const unsigned char *place, const Needle *needle, int fold)
{
    if (!fold) {
        return memcmp(place, needle->text, (size_t)needle->size) == 0;
    }
    for (Py_ssize_t n = 0; n < needle->size; n++) {
        if (folded(place[n]) != needle->text[n]) {
            return 0;
        }
    }
    return 1;
}

typedef struct {
    Py_ssize_t place;
    int which; /* -1: a run of digits */
} Hit;

typedef struct {
    Hit *hits;
    Py_ssize_t count, room;
} Hits;

static int
append_hit(Hits *found, Py_ssize_t place, int which)
{
    if (found->count == found->room) {
        Py_ssize_t room = found->room ? found->room * 2 : 64;
        Hit *hits = PyMem_RawRealloc(found->hits, (size_t)room * sizeof(Hit));
        if (hits == NULL) {
            return -1;
        }
        found->hits = hits;
        found->room = room;
    }
    found->hits[found->count++] = (Hit){place, which};
    return 0;
}

/* Needs no interpreter's lock: it touches nothing of Python's. */
static int
search(Hits *found, const unsigned char *data, Py_ssize_t size, const Needle *needles,
       const int *heads, const unsigned char *pairs, int fold, Py_ssize_t digits)
{
    Py_ssize_t run = 0, begin = 0;
    for (Py_ssize_t place = 0; place < size; place++) {
        unsigned char byte = data[place];
        if (digits > 0) {
            if (byte >= '0' && byte <= '9') {
                if (run == 0) {
                    begin = place;
                }
                if (++run == digits && append_hit(found, begin, -1) < 0) {
                    return -1;
                }
            }
            else if (run > 0 && !((byte == ' ' || byte == '-') && data[place - 1] >= '0' &&
                                  data[place - 1] <= '9')) {
                run = 0;
            }
        }
        if (place + 1 >= size) {
            break;
        }
        unsigned int pair = fold ? (unsigned int)folded(byte) << 8 | folded(data[place + 1])
                                 : (unsigned int)byte << 8 | data[place + 1];
        if (!(pairs[pair >> 3] & (1 << (pair & 7)))) {
            continue;
        }
        for (int n = heads[pair >> 8]; n >= 0; n = needles[n].next) {
            if (needles[n].size <= size - place && stands_at(data + place, &needles[n], fold) &&
                append_hit(found, place, n) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static PyObject *
listed(const Hits *found)
{
    PyObject *list = PyList_New(found->count);
    for (Py_ssize_t n = 0; list != NULL && n < found->count; n++) {
        PyObject *pair = Py_BuildValue("(ni)", found->hits[n].place, found->hits[n].which);
        if (pair == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, n, pair);
    }
    return list;
}

static PyObject *
find_all(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer data;
    PyObject *wanted;
    int fold;
    Py_ssize_t digits;
    if (!PyArg_ParseTuple(args, "y*O!pn", &data, &PyTuple_Type, &wanted, &fold, &digits)) {
        return NULL;
    }
    PyObject *answer = NULL;
    Hits found = {0};
    Py_ssize_t count = PyTuple_GET_SIZE(wanted);
    unsigned char *pairs = PyMem_Calloc(1, 8192);
    Needle *needles = PyMem_Calloc((size_t)count + 1, sizeof(Needle));
    int heads[256];
    memset(heads, -1, sizeof(heads));
    if (pairs == NULL || needles == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t n = count - 1; n >= 0; n--) {
        char *text;
        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(wanted, n), &text, &needles[n].size) < 0) {
            goto done;
        }
        if (needles[n].size < 2) {
            PyErr_SetString(PyExc_ValueError, "what is looked for has two bytes at least");
            goto done;
        }
        needles[n].text = (unsigned char *)text;
        unsigned int pair = (unsigned int)needles[n].text[0] << 8 | needles[n].text[1];
        pairs[pair >> 3] |= (unsigned char)(1 << (pair & 7));
        needles[n].next = heads[pair >> 8];
        heads[pair >> 8] = (int)n;
    }
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = search(&found, data.buf, data.len, needles, heads, pairs, fold, digits);
    Py_END_ALLOW_THREADS
    answer = failed ? PyErr_NoMemory() : listed(&found);
done:
    PyMem_RawFree(found.hits);
    PyMem_Free(pairs);
    PyMem_Free(needles);
    PyBuffer_Release(&data);
    return answer;
}

PyMethodDef find_all_functions[] = {
    {"find_all", find_all, METH_VARARGS,
     "find_all(data, texts, fold, digits): where each of the texts stands, as (place, number).\n\n"
     "With fold the texts are in lower case and stand for either. Runs of so many digits, single\n"
     "spaces or dashes between them, are found too, number -1; 0 for none."},
    {NULL, NULL, 0, NULL},
};
