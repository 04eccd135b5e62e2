// Package ui is the page of the web phone, built by Vite from TypeScript (src) into dist and embedded here.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files is the built page with index.html at its root. Before the first build it holds nothing but a placeholder.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return dist // cannot be: dist is a valid path
	}
	return files
}
