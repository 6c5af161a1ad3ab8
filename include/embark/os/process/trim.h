/* Memory for a container with a tight limit. */
#ifndef EMBARK_OS_PROCESS_TRIM_H
#define EMBARK_OS_PROCESS_TRIM_H

/* Gives back the pages of the program's own code and constants, which are the file's: what is
 * needed again is mapped again from the page cache, in some microseconds. The kernel maps 64 KiB
 * around each page that is used, so that after a few steps most of a program of 2.7 MB would be in
 * memory that is counted as ours. Called between steps, since each uses code of its own. */
void em_release_code_pages(void);

#endif
