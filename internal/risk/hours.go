// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// hours are the hours in which people are there to look.
type hours struct {
	weight   weight // of what is asked outside of them
	broken   bool   // no time can be said to be inside
	zone     *time.Location
	days     [7]bool // by time.Weekday
	start    int     // minutes since midnight, inclusive
	end      int     // exclusive
	holidays map[string]bool
}

var weekdays = map[v1alpha1.Weekday]time.Weekday{
	"Sunday": time.Sunday, "Monday": time.Monday, "Tuesday": time.Tuesday, "Wednesday": time.Wednesday,
	"Thursday": time.Thursday, "Friday": time.Friday, "Saturday": time.Saturday,
}

// schedule compiles the business hours; nil means that time does not count.
func (c *compiler) schedule(path *field.Path, spec *v1alpha1.RiskSchedule) {
	if spec == nil {
		return
	}
	h := &hours{
		weight:   c.increase(path.Child("offHoursDelta"), spec.OffHoursDelta),
		holidays: make(map[string]bool, len(spec.Holidays)),
	}
	before := len(c.errs)
	// "Local" would mean another zone on another machine.
	zone, err := time.LoadLocation(spec.TimeZone)
	if err != nil || spec.TimeZone == "Local" {
		c.report(field.Invalid(path.Child("timeZone"), spec.TimeZone, "must be the IANA name of a time zone, such as Europe/Berlin"))
		zone = time.UTC
	}
	h.zone = zone
	c.businessDays(path.Child("businessHours", "days"), h, spec.BusinessHours.Days)
	c.businessHours(path.Child("businessHours"), h, spec.BusinessHours)
	for i, day := range spec.Holidays {
		if _, err := time.Parse(time.DateOnly, string(day)); err != nil {
			c.report(field.Invalid(path.Child("holidays").Index(i), string(day), "must be a day of the calendar, YYYY-MM-DD"))
		}
		h.holidays[string(day)] = true
	}
	h.broken = len(c.errs) > before
	c.model.hours = h
}

func (c *compiler) businessDays(path *field.Path, h *hours, days []v1alpha1.Weekday) {
	if len(days) == 0 {
		days = []v1alpha1.Weekday{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}
	}
	for i, name := range days {
		day, known := weekdays[name]
		if !known {
			c.report(field.NotSupported(path.Index(i), name, []v1alpha1.Weekday{
				"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}))
			continue
		}
		h.days[day] = true
	}
}

func (c *compiler) businessHours(path *field.Path, h *hours, spec v1alpha1.BusinessHours) {
	var startKnown, endKnown bool
	if h.start, startKnown = minutes(spec.Start); !startKnown {
		c.report(field.Invalid(path.Child("start"), string(spec.Start), "must be HH:MM from 00:00 to 24:00"))
	}
	if h.end, endKnown = minutes(spec.End); !endKnown {
		c.report(field.Invalid(path.Child("end"), string(spec.End), "must be HH:MM from 00:00 to 24:00"))
	}
	if startKnown && endKnown && h.start >= h.end {
		c.report(field.Invalid(path.Child("end"), string(spec.End), "must be later than start; hours that cross midnight are not supported"))
	}
}

// minutes since midnight of a time of day, HH:MM from 00:00 to 24:00.
func minutes(text v1alpha1.ClockTime) (n int, known bool) {
	if text == "24:00" {
		return 24 * 60, true
	}
	t, err := time.Parse("15:04", string(text))
	if err != nil || len(text) != len("15:04") {
		return 0, false
	}
	return 60*t.Hour() + t.Minute(), true
}

// scoreTime adds what the time of submission adds. A time that is not known is
// outside business hours.
func (m *Model) scoreTime(a *Assessment, submitted time.Time) {
	if m.hours == nil {
		return
	}
	why := m.hours.off(submitted)
	if why == "" {
		return
	}
	a.OffHours = true
	a.add(m.hours.weight, v1alpha1.RiskFactor{Name: "off-hours", Value: why, Source: v1alpha1.SourceModel})
}

// off says why a time is outside business hours; empty when it is inside.
func (h *hours) off(t time.Time) string {
	switch {
	case h.broken:
		return "the schedule cannot be read"
	case t.IsZero():
		return "the time of submission is unknown"
	}
	t = t.In(h.zone)
	minute := 60*t.Hour() + t.Minute()
	switch {
	case len(h.holidays) > 0 && h.holidays[t.Format(time.DateOnly)]:
		return t.Format("holiday 2006-01-02")
	case !h.days[t.Weekday()], minute < h.start, minute >= h.end:
		return t.Format("Monday 15:04 MST")
	default:
		return ""
	}
}
