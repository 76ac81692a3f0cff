/** A thread of the task pool that does not even start. */
throw new Error('no such library');
