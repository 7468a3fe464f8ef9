/** Times as people read them. */

/** `340 ms`, `4.2 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 1000) {
    return `${Math.round(ms)} ms`;
  }
  const seconds = ms / 1000;
  if (seconds < 59.95) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  const [days, hours] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24];
  const [minutes, rest] = [Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  if (days) {
    return `${days} d ${hours} h`;
  }
  return hours ? `${hours} h ${two(minutes)} min` : `${minutes} min ${two(rest)} s`;
}

/** How far an instant is away: `in 4.2 s`, `in 3 h 20 min`, `2 min 05 s ago`. */
export function distance(epoch: number, now: number): string {
  const words = duration(Math.round(Math.abs(epoch - now) / 1000) * 1000);
  return epoch >= now ? `in ${words.replace('.0 s', ' s')}` : `${words.replace('.0 s', ' s')} ago`;
}

/** An ISO 8601 duration such as `PT1M30.5S` as people read it; another text as it is. */
export function isoDuration(text: string): string {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text);
  if (!parts) {
    return text;
  }
  const [days, hours, minutes, seconds] = parts.slice(1).map(each => Number(each ?? 0));
  return duration(1000 * (((days! * 24 + hours!) * 60 + minutes!) * 60 + seconds!));
}

/** Local time of day, with the date when it is not today's; the short form has no seconds. */
export function moment(epoch: number, now: number, isShort = false): string {
  const date = new Date(epoch);
  const short = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const time = date.toLocaleTimeString([], isShort ? short : undefined);
  return date.toDateString() === new Date(now).toDateString()
    ? time
    : `${date.toLocaleDateString()} ${time}`;
}

/** About `count` round marks between 0 and `span` milliseconds. */
export function ticks(span: number, count = 5): number[] {
  if (span <= 0) {
    return [];
  }
  const raw = span / count;
  const units = [1, 2, 5, 10, 20, 50, 100, 200, 500];
  const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200];
  const steps = [...units, ...seconds.map(s => s * 1000)];
  const step = steps.find(s => s >= raw) ?? Math.ceil(raw / 86_400_000) * 86_400_000;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, i) => i * step);
}
