"""Time: service periods, the calendar they are spread over, and the windows that figures are taken of."""
