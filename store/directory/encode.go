package directory

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"

	"strowger/store"
)

// Encode writes a directory as the document that Parse reads. Equal directories give equal bytes: lists keep their order,
// which means something (users ring in it), maps are sorted.
func Encode(dir store.Directory) ([]byte, error) {
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	if err := enc.Encode(dir); err != nil {
		return nil, fmt.Errorf("encode directory: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("encode directory: %w", err)
	}
	return buf.Bytes(), nil
}
