// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// watched applies a fault to the answer of a watch: events, a line of JSON each.
func (p *Proxy) watched(x *exchange, response *http.Response) error {
	switch x.fault.Kind {
	case CutAfter:
		return errors.Join(errCut, response.Body.Close())
	case CutMiddle, DropWatch, Gone, Stall:
		if response.StatusCode != http.StatusOK {
			return nil
		}
		stream := &stream{from: bufio.NewReader(response.Body), left: x.fault.After, end: p.ending(x, response.Request)}
		body := p.cutting(response.Request, x.fault, stream)
		response.Body = readCloser{body, response.Body.Close}
	case None, CutBefore, Status, Unauthorized, Twice, Stale: // it passes
	}
	return nil
}

// ending is what comes after the last event that is let through: the bytes to
// send, and then the error. What it gets is the stream of events that follow.
func (p *Proxy) ending(x *exchange, r *http.Request) func(*bufio.Reader) ([]byte, error) {
	switch x.fault.Kind { //nolint:exhaustive // watched asks for these four alone
	case CutMiddle:
		return func(from *bufio.Reader) ([]byte, error) {
			line, err := from.ReadBytes('\n')
			if err != nil {
				return nil, err
			}
			return line[:len(line)/2], errCut
		}
	case Gone:
		return func(*bufio.Reader) ([]byte, error) {
			event, err := json.Marshal(map[string]any{
				"type": "ERROR", "object": json.RawMessage(statusObject(Fault{Code: http.StatusGone})),
			})
			return append(event, '\n'), errors.Join(err, io.EOF)
		}
	case Stall:
		return func(*bufio.Reader) ([]byte, error) {
			select {
			case <-r.Context().Done():
			case <-p.closed.Done():
			}
			return nil, errCut
		}
	default: // DropWatch
		return func(*bufio.Reader) ([]byte, error) { return nil, io.EOF }
	}
}

// stream lets some events through, and then the ending.
type stream struct {
	from    *bufio.Reader
	left    int
	end     func(*bufio.Reader) ([]byte, error)
	pending bytes.Buffer
	over    error
}

func (s *stream) Read(buffer []byte) (int, error) {
	for s.pending.Len() == 0 {
		if s.over != nil {
			return 0, s.over
		}
		var some []byte
		var err error
		if s.left > 0 {
			some, err = s.from.ReadBytes('\n')
			s.left--
		} else {
			some, err = s.end(s.from)
		}
		s.pending.Write(some)
		if err != nil {
			s.over = oneError(err)
		}
	}
	return s.pending.Read(buffer)
}

// oneError is io.EOF itself where that is all there is: readers compare it.
func oneError(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}
