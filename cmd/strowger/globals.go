package main

import "io"

// Globals is what every command can use: where it reads and writes, and the data folder it speaks about.
type Globals struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Data           string // data folder
	DataSet        bool   // it was named, and is no default
}
