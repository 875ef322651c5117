// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ow-kai/ascend-operator/client"
)

// task is something that the agent was told to do.
type task struct {
	action client.Action
	do     func(ctx context.Context, out io.Writer) error
}

// tasks stand for what a model would come up with.
func tasks() []task {
	say := func(what string) func(context.Context, io.Writer) error {
		return func(_ context.Context, out io.Writer) error {
			_, err := fmt.Fprintln(out, "  "+what)
			return err
		}
	}
	return []task{
		{client.Action{
			Type: "database_read", Description: "Read list of public product categories",
			Parameters: map[string]any{"table": "product_categories", "operation": "SELECT", "data_classification": "public"},
		}, say("SELECT id, name FROM product_categories")},
		{client.Action{
			Type: "database_write", Description: "Update customer billing address",
			Parameters: map[string]any{"table": "customers", "operation": "UPDATE", "affected_rows": 1, "data_classification": "pii"},
			Context:    map[string]any{"ticket_id": "TICKET-12345"},
		}, say("UPDATE customers SET billing_address = … WHERE id = 'cust_789'")},
		{client.Action{
			Type: "database_delete", Description: "Delete inactive user accounts",
			Parameters: map[string]any{"table": "users", "operation": "DELETE", "affected_rows": 150},
		}, say("DELETE FROM users WHERE inactive")},
	}
}

// work does each task that it may do, and says what became of each. It returns
// how many failed, which is something else than not being allowed.
func work(ctx context.Context, c *client.Client, all []task, patience time.Duration, out io.Writer) (failed int) {
	for _, t := range all {
		fmt.Fprintf(out, "%s: %s\n", t.action.Type, t.action.Description)
		if err := attempt(ctx, c, t, patience, out); err != nil {
			failed++
			fmt.Fprintf(out, "  failed: %v\n", err)
		}
	}
	return failed
}

func attempt(ctx context.Context, c *client.Client, t task, patience time.Duration, out io.Writer) error {
	waiting, stop := context.WithTimeout(ctx, patience)
	defer stop()
	err := c.Govern(waiting, t.action, func(context.Context) error {
		return t.do(ctx, out) // ctx: the patience was for people
	})
	if no, is := errors.AsType[*client.NotApprovedError](err); is {
		fmt.Fprintf(out, "  not done: %s: %s\n", no.Result.Decision, no.Result.Message)
		return nil
	}
	if err == nil {
		fmt.Fprintln(out, "  done")
	}
	return err
}
