// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client"
	"github.com/ow-kai/ascend-operator/client/clienttest"
)

// An action that nobody has to see runs at once; its outcome is reported.
func ExampleClient_Govern() {
	c, done := exampleClient() // client.New(client.Options{}) in an agent
	defer done()
	err := c.Govern(context.Background(), client.Action{
		Type:        "database_read",
		Description: "Read list of public product categories",
		Parameters:  map[string]any{"table": "product_categories", "operation": "SELECT", "data_classification": "public"},
	}, func(context.Context) error {
		fmt.Println("reading product_categories")
		return nil
	})
	fmt.Println("error:", err)
	// Output:
	// reading product_categories
	// error: <nil>
}

// What was denied is not run, and the error says why.
func ExampleClient_Govern_denied() {
	c, done := exampleClient()
	defer done()
	err := c.Govern(context.Background(), client.Action{
		Type:       "database_delete",
		Parameters: map[string]any{"table": "users", "operation": "DELETE", "affected_rows": 150},
	}, func(context.Context) error {
		fmt.Println("deleting users")
		return nil
	})
	if denied, is := errors.AsType[*client.DeniedError](err); is {
		fmt.Println(denied.Result.Decision, "by", denied.Result.Rule.DisplayName)
		fmt.Println(denied.Result.Message)
	}
	// Output:
	// Denied by Block Bulk Deletions
	// Bulk delete operations require manager approval
}

// Submit returns at once; Wait waits for people, for as long as ctx allows.
func ExampleClient_Submit() {
	c, done := exampleClient()
	defer done()
	result, err := c.Submit(context.Background(), client.Action{
		Type:       "database_write",
		Parameters: map[string]any{"table": "customers", "operation": "UPDATE", "affected_rows": 1, "data_classification": "pii"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Decision, result.Risk.Score, result.Risk.Level, result.PendingApprovers)

	ctx, stop := context.WithTimeout(context.Background(), 3*time.Second)
	defer stop()
	_, err = c.Wait(ctx, result.ID)
	var timeout *client.WaitTimeoutError
	fmt.Println(errors.As(err, &timeout)) // timeout.Last is how it was seen last, if it was
	// Output:
	// Pending 7.2 High [group:ascend-approvers]
	// true
}

// A receiver of webhooks believes what is signed, and nothing else.
func ExampleVerifyWebhook() {
	http.HandleFunc("POST /ascend", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too long", http.StatusRequestEntityTooLarge)
			return
		}
		event, err := client.VerifyWebhook(r.Header, body, "your_webhook_secret")
		if err != nil {
			http.Error(w, "not believed", http.StatusUnauthorized)
			return
		}
		if event.Type == v1alpha1.EventActionApproved {
			log.Printf("%q may run", event.Subject)
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// exampleClient is a client of a server for tests, with the starter policy.
func exampleClient() (c *client.Client, done func()) {
	tb := &exampleTB{}
	c = clienttest.New(tb).Client(tb)
	return c, tb.end
}

// exampleTB is what clienttest needs of a test, for examples, which have none.
type exampleTB struct {
	testing.TB
	cleanups []func()
}

func (*exampleTB) Helper()                           {}
func (*exampleTB) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
func (e *exampleTB) Cleanup(f func())                { e.cleanups = append(e.cleanups, f) }

func (e *exampleTB) end() {
	for _, cleanup := range slices.Backward(e.cleanups) {
		cleanup()
	}
}
