package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage reads what processes and their descendants have used, from /proc.
type usage []int // process ids

// all are the processes with their descendants.
func (u usage) all() []int {
	var list []int
	for _, pid := range u {
		list = append(list, pid)
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, f := range files {
			text, _ := os.ReadFile(f)
			for _, child := range strings.Fields(string(text)) {
				if n, err := strconv.Atoi(child); err == nil {
					list = append(list, usage{n}.all()...)
				}
			}
		}
	}
	return list
}

// cpu is the CPU time of the processes so far, user and system. The kernel counts it to the nanosecond and tells it in
// ticks of 10 ms.
func (u usage) cpu() time.Duration {
	var ticks int64
	for _, pid := range u.all() {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		// The name may contain anything; the fields after it may not (proc_pid_stat(5)).
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, f := range fields[11:13] {
			n, _ := strconv.ParseInt(f, 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory is the proportional set size in bytes: shared pages are split between those who share them.
func (u usage) memory() int64 {
	var kib int64
	for _, pid := range u.all() {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		for line := range strings.SplitSeq(string(text), "\n") {
			if value, ok := strings.CutPrefix(line, "Pss:"); ok {
				n, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
				kib += n
			}
		}
	}
	return kib << 10
}

// machine is what the whole machine has used so far, and what its host took away (steal).
func machine() (busy, stolen time.Duration) {
	text, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	ticks := func(i int) time.Duration {
		n, _ := strconv.ParseInt(fields[i], 10, 64)
		return time.Duration(n) * 10 * time.Millisecond
	}
	return ticks(1) + ticks(2) + ticks(3) + ticks(6) + ticks(7), ticks(8)
}
