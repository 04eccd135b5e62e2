package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"strowger/store"
)

// Client sends a command's requests.
type Client struct {
	http  *http.Client
	close func() error
	// Live is set when a server runs.
	Live bool
}

// Close ends the client, and closes the store if the client opened it.
func (c *Client) Close() error { return c.close() }

// Get reads path into out.
func (c *Client) Get(path string, query url.Values, out any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.do(context.Background(), http.MethodGet, path, nil, out)
}

// Send sends in with a method that changes something, and reads the answer into out (nil = none).
func (c *Client) Send(method, path string, in, out any) error {
	return c.do(context.Background(), method, path, in, out)
}

func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	body, err := c.Open(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, body)
		return err
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: unreadable answer: %w", method, path, err)
	}
	return nil
}

// Open sends a request and returns the body of a good answer, for streams. An io.Reader is sent as it is, all else as JSON.
func (c *Client) Open(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	body, stream := in.(io.Reader)
	if in != nil && !stream {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://strowger"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 300 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var fault struct{ Error string }
	if json.NewDecoder(resp.Body).Decode(&fault) != nil || fault.Error == "" {
		return nil, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if resp.StatusCode == http.StatusNotFound {
		return nil, notFound(fault.Error)
	}
	return nil, errors.New(fault.Error)
}

// notFound is the store's answer that there is no such object.
type notFound string

func (e notFound) Error() string { return string(e) }
func (e notFound) Unwrap() error { return store.ErrNotFound }

// inProcess is the way to a handler of this process. The answer is piped, so that backups do not pass through memory.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	r, w := io.Pipe()
	resp := &pipeResponse{header: http.Header{}, body: w, ready: make(chan int, 1)}
	go func() {
		defer w.Close()
		t.handler.ServeHTTP(resp, req)
		resp.WriteHeader(http.StatusOK)
	}()
	select {
	case code := <-resp.ready:
		return &http.Response{StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: resp.header, Body: r, ContentLength: -1, Request: req}, nil
	case <-req.Context().Done():
		r.CloseWithError(req.Context().Err())
		return nil, req.Context().Err()
	}
}

type pipeResponse struct {
	header http.Header
	body   *io.PipeWriter
	ready  chan int
	sent   bool
}

func (p *pipeResponse) Header() http.Header { return p.header }

func (p *pipeResponse) WriteHeader(code int) {
	if !p.sent {
		p.sent = true
		p.ready <- code
	}
}

func (p *pipeResponse) Write(b []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return p.body.Write(b)
}
