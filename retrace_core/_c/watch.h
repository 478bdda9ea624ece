#ifndef RETRACE_WATCH_H
#define RETRACE_WATCH_H

#include "lane.h"

extern PyMethodDef watch_functions[];

#endif
