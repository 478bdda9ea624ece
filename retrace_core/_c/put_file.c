#include "put_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

static int no_exclusive_rename;

/* A rename that fails where the new name is taken; 0, or an errno. */
static int rename_exclusively(const char *from, const char *to)
{
#if defined(__linux__) && defined(SYS_renameat2)
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1u) ? errno : 0;
#elif defined(__APPLE__)
    return renamex_np(from, to, RENAME_EXCL) ? errno : 0;
#else
    (void)from;
    (void)to;
    return ENOSYS;
#endif
}

static int write_whole(int handle, const char *data, Py_ssize_t size)
{
    while (size > 0) {
        ssize_t n = write(handle, data, (size_t)size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        data += n;
        size -= n;
    }
    return 0;
}

static int put(const char *trace, const char *place, const char *temporary, const char *path,
               const char *data, Py_ssize_t size)
{
    if (*trace && (mkdir(trace, 0700) || mkdir(place, 0700))) return -1;
    int handle = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (handle < 0) return -1;
    int failed = write_whole(handle, data, size);
    failed = close(handle) || failed;
    int refused = failed ? 0 : rename_exclusively(temporary, path);
    if (refused && refused != EEXIST) no_exclusive_rename = 1;
    if (failed || refused) unlink(temporary);
    return failed || refused ? -1 : 0;
}

typedef struct {
    const char *names[4]; /* trace, place, temporary, path */
    char *data;
    Py_ssize_t size;
    int done;
} File;

static int parse(PyObject *item, File *file)
{
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 5) {
        PyErr_SetString(PyExc_TypeError, "a file is (trace, place, temporary, path, data)");
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        Py_ssize_t length;
        file->names[i] = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(item, i), &length);
        if (!file->names[i]) return -1;
        if (strlen(file->names[i]) != (size_t)length) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return -1;
        }
    }
    return PyBytes_AsStringAndSize(PyTuple_GET_ITEM(item, 4), &file->data, &file->size);
}

/* All in one absence from the interpreter: each return costs a fight for its lock. */
static PyObject *put_files(PyObject *module, PyObject *list)
{
    (void)module;
    PyObject *items = PySequence_Tuple(list); /* keeps all of them alive */
    if (!items) return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(items), parsed = 0;
    File *files = PyMem_Calloc((size_t)n + 1, sizeof *files);
    while (files && parsed < n && !parse(PyTuple_GET_ITEM(items, parsed), &files[parsed])) parsed++;
    PyObject *answers = NULL;
    if (files && parsed == n) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < n && !no_exclusive_rename; i++) {
            const char **names = files[i].names;
            files[i].done = !put(names[0], names[1], names[2], names[3], files[i].data,
                                 files[i].size);
        }
        Py_END_ALLOW_THREADS
        answers = PyList_New(n);
        for (Py_ssize_t i = 0; answers && i < n; i++)
            PyList_SET_ITEM(answers, i, PyBool_FromLong(files[i].done));
    } else if (!files) PyErr_NoMemory();
    PyMem_Free(files);
    Py_DECREF(items);
    return answers;
}

PyMethodDef put_file_functions[] = {
    {"put_files", put_files, METH_O,
     "Make each two folders (none where the first is \"\") and a file, all new; False where not."},
    {NULL, NULL, 0, NULL},
};
