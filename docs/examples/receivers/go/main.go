// SPDX-License-Identifier: Apache-2.0

// Command go is a receiver of Ascend Operator's notifications, with Go's
// standard library alone. It checks who each delivery is from, answers a delivery
// that it has already, and prints the others.
//
//	WEBHOOK_SECRET=whsec_... go run . -listen 127.0.0.1:8080
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tolerance is how far a delivery's timestamp may be from now.
const tolerance = 5 * time.Minute

// remembered is how long an id is known again: longer than a delivery is retried.
const remembered = 25 * time.Hour

// maxBody is more than any event has.
const maxBody = 1 << 20

// key is what signs: what whsec_ stands for, or the bytes as they are.
func key(secret string) ([]byte, error) {
	if encoded, is := strings.CutPrefix(secret, "whsec_"); is {
		return base64.StdEncoding.DecodeString(encoded)
	}
	return []byte(secret), nil
}

// verify says why a delivery is not to be believed; nil when it is. body is what
// came over the wire, before anything reads it as JSON.
func verify(key []byte, header http.Header, body []byte, now time.Time) error {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" {
		return errors.New("webhook-id or webhook-timestamp is missing")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return errors.New("webhook-timestamp is too far from now")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	want := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	// There are two signatures while the secret is rotated: one of them has to fit.
	for signature := range strings.FieldsSeq(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(signature), want) {
			return nil
		}
	}
	return errors.New("no signature fits")
}

// event is what this receiver reads of a body. There is more: see docs/notifications.md.
type event struct {
	Type    string `json:"type"`
	Subject string `json:"subject"`
	Data    struct {
		Namespace string  `json:"namespace"`
		AgentID   string  `json:"agent_id"`
		Decision  string  `json:"decision"`
		Reason    string  `json:"reason"`
		RiskScore float64 `json:"risk_score"`
	} `json:"data"`
}

// receiver answers deliveries.
type receiver struct {
	key []byte

	mu   sync.Mutex
	seen map[string]time.Time // ids that were handled
}

// ServeHTTP implements http.Handler. Anything but 2xx is delivered again later.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		http.Error(w, "the body is too long or broken off", http.StatusRequestEntityTooLarge)
		return
	}
	if err := verify(r.key, req.Header, body, time.Now()); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		http.Error(w, "the body is no event", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	id := req.Header.Get("webhook-id")
	if _, has := r.seen[id]; has { // the answer to the first one was lost
		w.WriteHeader(http.StatusOK)
		return
	}
	handle(id, &e)
	r.remember(id, time.Now())
	w.WriteHeader(http.StatusNoContent)
}

// remember notes that an event was handled, and forgets the oldest.
func (r *receiver) remember(id string, now time.Time) {
	for old, at := range r.seen {
		if now.Sub(at) > remembered {
			delete(r.seen, old)
		}
	}
	r.seen[id] = now
}

// handle is where your own code begins. What takes long belongs behind a queue:
// the sender waits 30 seconds.
func handle(id string, e *event) {
	log.Printf("%q: %q: %q of agent %q in namespace %q: decision %q, reason %q, risk %.1f", //nolint:gosec // %q escapes it all
		id, e.Type, e.Subject, e.Data.AgentID, e.Data.Namespace, e.Data.Decision, e.Data.Reason, e.Data.RiskScore)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "`address` to listen on")
	flag.Parse()
	signing, err := key(os.Getenv("WEBHOOK_SECRET"))
	if err != nil || len(signing) < 16 {
		log.Fatal("put the secret of the subscription into WEBHOOK_SECRET: whsec_ and base64, or 16 bytes at least")
	}
	listener, err := net.Listen("tcp", *listen) //nolint:noctx // for as long as the program runs
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", listener.Addr())
	server := &http.Server{
		Handler:           &receiver{key: signing, seen: map[string]time.Time{}},
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10,
	}
	log.Fatal(server.Serve(listener))
}
