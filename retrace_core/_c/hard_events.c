/* Hard events: where the parts of those stand that returned, in an encoded lane.

   One is an array of seven: number, kind, status, key, value, end, duration; status 0 says that it
   returned. All others are passed over. Hostile input ends in ValueError; nothing is read past
   the end. */
#include "hard_events.h"

#define HARD 0x97

/* Returns how many bytes big-endian numbers make at a place, -1 past the end. */
static Py_ssize_t
sized(const unsigned char *data, Py_ssize_t place, Py_ssize_t end, int width)
{
    Py_ssize_t value = 0;
    if (end - place < width) {
        return -1;
    }
    for (int n = 0; n < width; n++) {
        value = value << 8 | data[place + n];
    }
    return value;
}

/* Returns where the value at a place ends, -1 where it is none in full. */
static Py_ssize_t
after(const unsigned char *data, Py_ssize_t place, Py_ssize_t end)
{
    Py_ssize_t left = 1;
    while (left > 0) {
        if (place >= end) {
            return -1;
        }
        unsigned char head = data[place++];
        Py_ssize_t size = 0;
        left--;
        if (head <= 0x7f || head >= 0xe0 || head == 0xc0 || head == 0xc2 || head == 0xc3) {
            continue;
        }
        if (head <= 0x8f) {
            left += 2 * (head & 0x0f);
        }
        else if (head <= 0x9f) {
            left += head & 0x0f;
        }
        else if (head <= 0xbf) {
            size = head & 0x1f;
        }
        else if (head == 0xc1) {
            return -1;
        }
        else if (head <= 0xc9 || (head >= 0xd9 && head <= 0xdb)) { /* bytes, extensions, texts */
            int width = 1 << (head <= 0xc6 ? head - 0xc4 : head <= 0xc9 ? head - 0xc7 : head - 0xd9);
            size = sized(data, place, end, width);
            if (size < 0) {
                return -1;
            }
            place += width + (head >= 0xc7 && head <= 0xc9);
        }
        else if (head <= 0xcb) {
            size = head == 0xca ? 4 : 8;
        }
        else if (head <= 0xd3) {
            size = 1 << ((head - 0xcc) & 3);
        }
        else if (head <= 0xd8) {
            size = 1 + (1 << (head - 0xd4));
        }
        else {
            int width = head & 1 ? 4 : 2;
            Py_ssize_t count = sized(data, place, end, width);
            if (count < 0) {
                return -1;
            }
            place += width;
            left += head >= 0xde ? 2 * count : count;
        }
        if (end - place < size) {
            return -1;
        }
        place += size;
    }
    return place;
}

/* Returns the text at a place, new, or NULL with an error set. */
static PyObject *
text_at(const unsigned char *data, Py_ssize_t place, Py_ssize_t end)
{
    unsigned char head = data[place];
    if ((head & 0xe0) != 0xa0 && head != 0xd9) {
        PyErr_Format(PyExc_ValueError, "no kind of an event at byte %zd", place);
        return NULL;
    }
    place += head == 0xd9 ? 2 : 1;
    return PyUnicode_DecodeUTF8((const char *)data + place, end - place, NULL);
}

/* Returns where the event at a place ends, or -1 with an error set. */
static Py_ssize_t
append_event(PyObject *found, const unsigned char *data, Py_ssize_t place, Py_ssize_t end)
{
    if (data[place] != HARD) {
        return after(data, place, end);
    }
    Py_ssize_t fields[8] = {place + 1};
    for (int n = 0; n < 7; n++) {
        fields[n + 1] = after(data, fields[n], end);
        if (fields[n + 1] < 0) {
            return -1;
        }
    }
    if (data[fields[2]] != 0) {
        return fields[7];
    }
    PyObject *kind = text_at(data, fields[1], fields[2]);
    PyObject *event =
        kind == NULL ? NULL : Py_BuildValue("(Nnnn)", kind, fields[3], fields[4], fields[5]);
    int failed = event == NULL || PyList_Append(found, event) < 0;
    Py_XDECREF(event);
    return failed ? -1 : fields[7];
}

static PyObject *
hard_events(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer data;
    Py_ssize_t place, end;
    if (!PyArg_ParseTuple(args, "y*nn", &data, &place, &end)) {
        return NULL;
    }
    PyObject *found = PyList_New(0);
    if (found != NULL && (place < 0 || end > data.len || place > end)) {
        PyErr_SetString(PyExc_ValueError, "no lane: it is not there");
        Py_CLEAR(found);
    }
    while (found != NULL && place < end) {
        Py_ssize_t next = append_event(found, data.buf, place, end);
        if (next < 0) {
            if (!PyErr_Occurred()) {
                PyErr_Format(PyExc_ValueError, "no event at byte %zd", place);
            }
            Py_CLEAR(found);
        }
        place = next;
    }
    PyBuffer_Release(&data);
    return found;
}

PyMethodDef hard_events_functions[] = {
    {"hard_events", hard_events, METH_VARARGS,
     "hard_events(data, begin, end): of the hard events of data[begin:end], a lane, that returned:\n"
     "(kind, where its key begins, where its value does, where that ends). ValueError: it is no lane."},
    {NULL, NULL, 0, NULL},
};
