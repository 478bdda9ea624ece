/* Find all: where any of many texts stand in a piece of memory, in one pass.

   A bit for three first bytes says whether a text may begin so; only there the texts with that
   first byte are compared. What is looked for is built at each call: that costs less than
   a microsecond for a hundred texts. */
#include "find_all.h"

#include <string.h>

#define LARGE (128 * 1024)

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

/* Returns the number of the bit of three bytes. */
static unsigned int
three(unsigned char one, unsigned char two, unsigned char three)
{
    unsigned int all = one | (unsigned int)two << 8 | (unsigned int)three << 16;
    return all * 2654435761u >> 16;
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

/* Neither search needs the interpreter's lock: they touch nothing of Python's. */
static int
search(Hits *found, const unsigned char *data, Py_ssize_t size, const Needle *needles,
       const int *heads, const unsigned char *bits, int fold)
{
    unsigned char as[256];
    for (int byte = 0; byte < 256; byte++) {
        as[byte] = fold ? folded((unsigned char)byte) : (unsigned char)byte;
    }
    for (Py_ssize_t place = 0; place + 1 < size; place++) {
        unsigned char first = as[data[place]];
        unsigned int bit =
            three(first, as[data[place + 1]], place + 2 < size ? as[data[place + 2]] : 0);
        if (!(bits[bit >> 3] & (1 << (bit & 7)))) {
            continue;
        }
        for (int n = heads[first]; n >= 0; n = needles[n].next) {
            if (needles[n].size <= size - place && stands_at(data + place, &needles[n], fold) &&
                append_hit(found, place, n) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int
is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

static int
joins(const unsigned char *data, Py_ssize_t place, Py_ssize_t size)
{
    return (data[place] == ' ' || data[place] == '-') && place > 0 && place + 1 < size &&
           is_digit(data[place - 1]) && is_digit(data[place + 1]);
}

/* A run is as long as `digits` at least, so that every so many bytes one of its is met. */
static int
search_runs(Hits *found, const unsigned char *data, Py_ssize_t size, Py_ssize_t digits)
{
    Py_ssize_t done = 0, probe = digits - 1;
    while (probe < size) {
        if (!is_digit(data[probe]) && !joins(data, probe, size)) {
            done = probe + 1;
            probe += digits;
            continue;
        }
        Py_ssize_t begin = probe, count = 0, place;
        while (begin > done && (is_digit(data[begin - 1]) || joins(data, begin - 1, size))) {
            begin--;
        }
        for (place = begin; place < size; place++) {
            if (is_digit(data[place])) {
                count++;
            }
            else if (!joins(data, place, size)) {
                break;
            }
        }
        if (count >= digits && append_hit(found, begin, -1) < 0) {
            return -1;
        }
        done = place + 1;
        probe = place + digits;
    }
    return 0;
}

static PyObject *
listed(const Hits *texts, const Hits *runs)
{
    Py_ssize_t count = texts->count + runs->count, text = 0, run = 0;
    PyObject *list = PyList_New(count);
    for (Py_ssize_t n = 0; list != NULL && n < count; n++) {
        int is_run = text == texts->count ||
                     (run < runs->count && runs->hits[run].place <= texts->hits[text].place);
        Hit hit = is_run ? runs->hits[run++] : texts->hits[text++];
        PyObject *pair = Py_BuildValue("(ni)", hit.place, hit.which);
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
    Hits found = {0}, runs = {0};
    Py_ssize_t count = PyTuple_GET_SIZE(wanted);
    unsigned char *bits = PyMem_Calloc(1, 8192);
    Needle *needles = PyMem_Calloc((size_t)count + 1, sizeof(Needle));
    int heads[256];
    memset(heads, -1, sizeof(heads));
    if (bits == NULL || needles == NULL) {
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
        const unsigned char *begin = needles[n].text;
        int any = needles[n].size == 2;
        for (int third = any ? 0 : begin[2]; third <= (any ? 255 : begin[2]); third++) {
            unsigned int bit = three(begin[0], begin[1], (unsigned char)third);
            bits[bit >> 3] |= (unsigned char)(1 << (bit & 7));
        }
        needles[n].next = heads[begin[0]];
        heads[begin[0]] = (int)n;
    }
    int failed;
    PyThreadState *state = data.len > LARGE ? PyEval_SaveThread() : NULL;
    failed = search(&found, data.buf, data.len, needles, heads, bits, fold) < 0 ||
             (digits > 0 && search_runs(&runs, data.buf, data.len, digits) < 0);
    if (state != NULL) { /* for less, giving the lock back costs a fight for it */
        PyEval_RestoreThread(state);
    }
    answer = failed ? PyErr_NoMemory() : listed(&found, &runs);
done:
    PyMem_RawFree(found.hits);
    PyMem_RawFree(runs.hits);
    PyMem_Free(bits);
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
