package web

import (
	"bytes"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// nonceMark stands in the built page where the nonce of the Content-Security-Policy belongs.
const nonceMark = "__NONCE__"

// page serves the built user interface: files as they are, and index.html for every other path, as the page has paths of
// its own.
func (s *Server) page() http.Handler {
	index, err := fs.ReadFile(s.cfg.UI, "index.html")
	if err != nil {
		return http.HandlerFunc(notBuilt)
	}
	files := http.FileServerFS(s.cfg.UI)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(w, http.StatusMethodNotAllowed, "Pages are only read.")
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if info, err := fs.Stat(s.cfg.UI, name); err == nil && !info.IsDir() && name != "index.html" {
			if strings.HasPrefix(name, "assets/") { // the name holds a hash of the content
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			}
			files.ServeHTTP(w, r)
			return
		}
		if path.Ext(name) != "" && name != "index.html" {
			http.NotFound(w, r)
			return
		}
		nonce := newNonce()
		w.Header().Set("Content-Security-Policy", pagePolicy(nonce))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(bytes.ReplaceAll(index, []byte(nonceMark), []byte(nonce)))
	})
}

const notBuiltPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Strowger</title></head>
<body>
<h1>The page is not built</h1>
<p>This strowger was compiled without its user interface. The server itself works: phones, calls and the API are there.</p>
<p>To get the page, run <code>make ui</code> in the source folder, build again, and restart.</p>
</body></html>
`

func notBuilt(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(notBuiltPage))
}
