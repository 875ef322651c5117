// SPDX-License-Identifier: Apache-2.0

package ratelimit

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Seed tells what the status of an agent says. The first time for an agent it is
// added to what was counted since the start; every further time it only raises
// counts of the same period that are lower, so that a replica learns from the
// status what its watch has missed. Counts of a time to come are taken as
// submitted evenly until now the first time, and ignored later.
func (l *Limiter) Seed(agent types.NamespacedName, counts v1alpha1.SubmissionCounts, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.agents[agent]
	if s == nil {
		s = l.add(agent)
	}
	at := s.advance(now)
	for i, given := range windowsOf(counts) {
		w, width := &s.windows[i], widths[i]
		ahead := given.start > at+clockSlack
		given.advance(at, given.start, width)
		switch {
		case !s.seeded:
			w.join(given)
		case !ahead:
			w.raise(given)
		}
	}
	s.seeded = true
}

// Submissions are the counts of an agent as they stand now, for its status;
// zero for an agent that is not known.
func (l *Limiter) Submissions(agent types.NamespacedName, now time.Time) v1alpha1.SubmissionCounts {
	counts, _ := l.Unwritten(agent, v1alpha1.SubmissionCounts{}, now)
	return counts
}

// Unwritten returns Submissions, and whether they are to be written: they say
// more than written, the counts of the status, and the time that has passed. An
// agent whose status Seed has not told yet has nothing to write.
func (l *Limiter) Unwritten(agent types.NamespacedName, written v1alpha1.SubmissionCounts, now time.Time) (v1alpha1.SubmissionCounts, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.agents[agent]
	if s == nil {
		return v1alpha1.SubmissionCounts{}, false
	}
	at := s.advance(now)
	counts := v1alpha1.SubmissionCounts{
		Minute: s.windows[0].submissions(),
		Hour:   s.windows[1].submissions(),
		Day:    s.windows[2].submissions(),
	}
	for i, said := range windowsOf(written) {
		said.advance(at, said.start, widths[i])
		if w := s.windows[i]; s.seeded && w != said && (!w.empty() || !said.empty()) {
			return counts, true
		}
	}
	return counts, false
}

// windowsOf are the counts of a status, as old as they are.
func windowsOf(counts v1alpha1.SubmissionCounts) [periods]window {
	var windows [periods]window
	for i, count := range [periods]*v1alpha1.SubmissionCount{&counts.Minute, &counts.Hour, &counts.Day} {
		if count.Start == nil {
			continue
		}
		start := nanos(count.Start.Time)
		windows[i] = window{
			start:    start - start%widths[i],
			current:  min(max(count.Current, 0), mostCounted),
			previous: min(max(count.Previous, 0), mostCounted),
		}
	}
	return windows
}

// submissions is the window as a status has it; zero when nothing is counted.
func (w *window) submissions() v1alpha1.SubmissionCount {
	if w.empty() {
		return v1alpha1.SubmissionCount{}
	}
	start := metav1.NewTime(time.Unix(0, w.start).UTC())
	return v1alpha1.SubmissionCount{Start: &start, Current: w.current, Previous: w.previous}
}

// join adds what another window has counted.
func (w *window) join(other window) {
	if w.empty() {
		*w = other
		return
	}
	w.current += other.current
	w.previous += other.previous
}

// raise takes the higher counts, where both windows are of the same period.
func (w *window) raise(other window) {
	if w.start != other.start {
		return
	}
	w.current = max(w.current, other.current)
	w.previous = max(w.previous, other.previous)
}
