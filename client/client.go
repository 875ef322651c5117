// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Client submits actions in the name of one Agent and follows them. All methods
// may be called at once from many goroutines; however many wait, there is one
// watch and at most MaxConnections connections.
type Client struct {
	options Options
	base    *url.URL
	http    *http.Client
	hangUp  func()        // closes the connections that nobody uses
	slots   chan struct{} // bounds the requests that are on their way at once
	watcher *watcher
}

// New returns a client. It sends nothing yet. It fails with a *ConnectionError,
// an *AuthenticationError or a *ValidationError for Options that cannot be right.
func New(options Options) (*Client, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	config := rest.CopyConfig(options.Config)
	base, _, err := rest.DefaultServerURL(config.Host, "", schema.GroupVersion{}, true) // https where it has no scheme
	if err != nil {
		return nil, &ConnectionError{Problem{Message: "no cluster to talk to: " + err.Error(), Help: "Such as https://127.0.0.1:6443."}}
	}
	transport, hangUp, err := newTransport(config)
	if err != nil {
		return nil, &ConnectionError{Problem{Message: "the connection cannot be set up: " + err.Error(), cause: err}}
	}
	c := &Client{
		options: options,
		base:    base,
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the key goes nowhere else
		}},
		hangUp: hangUp,
		slots:  make(chan struct{}, maxRequests),
	}
	c.watcher = newWatcher(c)
	return c, nil
}

// Close ends the watch, and the connections that nobody uses. Whoever still
// waits gets ErrClosed, and so does whoever submits or waits afterwards.
func (c *Client) Close() {
	c.watcher.close()
	c.hangUp()
}

// String names the cluster, the namespace and the agent, and no secret.
func (c *Client) String() string {
	return "agent " + c.options.Agent + " in namespace " + c.options.Namespace + " at " + c.base.Host
}

// GoString is String.
func (c *Client) GoString() string { return "client.Client(" + c.String() + ")" }

// actions is the path of the actions of the namespace, or of one of them.
func (c *Client) actions(name string) string {
	path := "/apis/" + v1alpha1.GroupVersion.String() + "/namespaces/" + url.PathEscape(c.options.Namespace) + "/agentactions"
	if name != "" {
		path += "/" + url.PathEscape(name)
	}
	return path
}

// Status reads an action once. Its Decision is empty where the operator has not
// looked at it yet. It fails with a *NotFoundError where there is none, and as
// every request does.
func (c *Client) Status(ctx context.Context, id string) (*Result, error) {
	action, _, err := c.read(ctx, id)
	if err != nil {
		return nil, err
	}
	return resultOf(action, false), nil
}

// read reads an action from the API server, not from any cache of it, with what
// the answer says of the server's clock.
func (c *Client) read(ctx context.Context, id string) (*v1alpha1.AgentAction, reading, error) {
	action := &v1alpha1.AgentAction{}
	at, err := c.call(ctx, &call{verb: "get", resource: "agentactions", name: id, method: http.MethodGet, path: c.actions(id)}, action)
	if err != nil {
		return nil, at, err
	}
	if action.Name != id || action.UID == "" {
		return nil, at, unreadable("read action " + id)
	}
	return action, at, nil
}

// reading is what an answer says of the server's clock.
type reading struct {
	// sent is when the request was sent, by the local monotonic clock.
	sent time.Time
	// date is the server's clock when it answered, in whole seconds; zero where
	// it did not say.
	date time.Time
}

// latest is the latest that the server's clock can show now: its date may be a
// second older than it says, and was made after the request was sent.
func (r reading) latest() time.Time {
	return r.date.Add(time.Second + time.Since(r.sent))
}

// about is what the server's clock shows now, for a report.
func (r reading) about() time.Time { return r.date.Add(time.Since(r.sent)) }

// readOnce reads an action without trying again.
func (c *Client) readOnce(ctx context.Context, id string) (*v1alpha1.AgentAction, error) {
	action := &v1alpha1.AgentAction{}
	_, err := c.call(ctx, &call{verb: "get", resource: "agentactions", name: id, method: http.MethodGet, path: c.actions(id), once: true}, action)
	switch {
	case err != nil:
		return nil, err
	case action.Name != id || action.UID == "":
		return nil, unreadable("read action " + id)
	}
	return action, nil
}
