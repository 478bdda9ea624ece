/* Find all: where any of many texts stand in a piece of memory, in one pass.

   The texts are in 64 groups, neighbours together. For each of the first four bytes of a text a
   table says, by a byte, which groups have a text with that byte there: at a place where the four
   have a group in common, the texts of that group are compared. */
#include "find_all.h"

#include <string.h>

#define LARGE (128 * 1024)
#define GROUPS 64
#define STEP 4 /* so many places at once: mostly nothing stands at any of them */

static unsigned char
folded(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + 32) : byte;
}

static void
mark(Needles *self, int at, unsigned char byte, uint64_t group)
{
    self->masks[at][byte] |= group;
    if (self->fold && byte >= 'a' && byte <= 'z') {
        self->masks[at][byte - 32] |= group;
    }
}

/* Returns -1 with an error set, and nothing to be freed. */
int
needles_init(Needles *self, PyObject *texts, int fold, Py_ssize_t digits)
{
    Py_ssize_t count = PyTuple_GET_SIZE(texts);
    memset(self, 0, sizeof(*self));
    self->count = (int)count;
    self->fold = fold;
    self->digits = digits;
    self->needles = PyMem_Calloc((size_t)count + 1, sizeof(Needle));
    if (self->needles == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t n = 0, group = 0; n < count; n++) {
        Needle *needle = &self->needles[n];
        char *text;
        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(texts, n), &text, &needle->size) < 0) {
            goto failed;
        }
        if (needle->size < 2) {
            PyErr_SetString(PyExc_ValueError, "what is looked for has two bytes at least");
            goto failed;
        }
        needle->text = (unsigned char *)text;
        while (n >= (group + 1) * count / GROUPS) {
            self->first[++group] = (int)n;
        }
        for (int at = 0; at < NEEDLE_HEAD; at++) {
            if (at < needle->size) {
                mark(self, at, needle->text[at], (uint64_t)1 << group);
                continue;
            }
            for (int byte = 0; byte < 256; byte++) {
                self->masks[at][byte] |= (uint64_t)1 << group;
            }
        }
        for (Py_ssize_t rest = group + 1; rest <= GROUPS; rest++) {
            self->first[rest] = (int)n + 1;
        }
    }
    self->texts = Py_NewRef(texts);
    return 0;
failed:
    PyMem_Free(self->needles);
    self->needles = NULL;
    return -1;
}

void
needles_free(Needles *self)
{
    PyMem_Free(self->needles);
    self->needles = NULL;
    Py_CLEAR(self->texts);
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

void
hits_free(Hits *hits)
{
    PyMem_RawFree(hits->hits);
    *hits = (Hits){0};
}

static int
compare(Hits *found, const Needles *self, const unsigned char *data, Py_ssize_t place,
        Py_ssize_t size, uint64_t groups)
{
    for (int group = 0; groups != 0; group++, groups >>= 1) {
        if (!(groups & 1)) {
            continue;
        }
        for (int n = self->first[group]; n < self->first[group + 1]; n++) {
            const Needle *needle = &self->needles[n];
            if (needle->size <= size - place && stands_at(data + place, needle, self->fold) &&
                append_hit(found, place, n) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static uint64_t
groups_at(const Needles *self, const unsigned char *head)
{
    return self->masks[0][head[0]] & self->masks[1][head[1]] & self->masks[2][head[2]] &
           self->masks[3][head[3]];
}

/* Neither search needs the interpreter's lock: they touch nothing of Python's. */
static int
search(Hits *found, const Needles *self, const unsigned char *data, Py_ssize_t size)
{
    Py_ssize_t place = 0;
    for (; place + STEP + NEEDLE_HEAD <= size; place += STEP) {
        const unsigned char *head = data + place;
        uint64_t one = groups_at(self, head), two = groups_at(self, head + 1);
        uint64_t three = groups_at(self, head + 2), four = groups_at(self, head + 3);
        if (!(one | two | three | four)) {
            continue;
        }
        uint64_t groups[STEP] = {one, two, three, four};
        for (int n = 0; n < STEP; n++) {
            if (groups[n] && compare(found, self, data, place + n, size, groups[n]) < 0) {
                return -1;
            }
        }
    }
    for (; place + 1 < size; place++) { /* what stands after the end is compared with nothing */
        unsigned char head[NEEDLE_HEAD] = {0};
        memcpy(head, data + place, (size_t)(size - place < NEEDLE_HEAD ? size - place : NEEDLE_HEAD));
        uint64_t groups = groups_at(self, head);
        if (groups && compare(found, self, data, place, size, groups) < 0) {
            return -1;
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

int
needles_find(const Needles *self, const unsigned char *data, Py_ssize_t size, Hits *texts,
             Hits *runs)
{
    PyThreadState *state = size > LARGE ? PyEval_SaveThread() : NULL;
    int failed = search(texts, self, data, size) < 0 ||
                 (self->digits > 0 && search_runs(runs, data, size, self->digits) < 0);
    if (state != NULL) { /* for less, giving the lock back costs a fight for it */
        PyEval_RestoreThread(state);
    }
    if (failed) {
        PyErr_NoMemory();
        return -1;
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

PyObject *
needles_list(const Needles *self, const Py_buffer *data)
{
    Hits texts = {0}, runs = {0};
    PyObject *answer = NULL;
    if (needles_find(self, data->buf, data->len, &texts, &runs) == 0) {
        answer = listed(&texts, &runs);
    }
    hits_free(&texts);
    hits_free(&runs);
    return answer;
}

static PyObject *
find_all(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer data;
    PyObject *texts;
    int fold;
    Py_ssize_t digits;
    if (!PyArg_ParseTuple(args, "y*O!pn", &data, &PyTuple_Type, &texts, &fold, &digits)) {
        return NULL;
    }
    PyObject *answer = NULL;
    Needles needles;
    if (needles_init(&needles, texts, fold, digits) == 0) {
        answer = needles_list(&needles, &data);
        needles_free(&needles);
    }
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
